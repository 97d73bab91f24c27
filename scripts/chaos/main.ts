// `deno task chaos`: the only place of it that reads arguments, handles signals, prints and exits.
import { CommanderError } from "commander";
import { plant } from "../bench/defects/defects.ts";
import { type Arguments, parseArguments } from "./arguments.ts";
import { defectNamed } from "./defects.ts";
import { kindNamed, KINDS } from "./faults/kinds.ts";
import { writeReport } from "./report/write_report.ts";
import { type RunResult, violationsOf } from "./running/result.ts";
import { run, type RunOptions } from "./running/run.ts";
import { stepInWords } from "./running/run_episode.ts";
import { shrink } from "./running/shrink.ts";
import { inWords } from "./running/span.ts";
import { DENSE, type Schedule, schedule, scheduleFile } from "./schedule.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

async function main(): Promise<number> {
  const args = parseArguments(Deno.args);
  if (args.list) return list();
  if (args.from.length > 0) {
    const results = await Promise.all(
      args.from.map(async (file): Promise<RunResult> => JSON.parse(await Deno.readTextFile(file))),
    );
    for (const file of await writeReport(results)) console.log(`written: ${file}`);
    return 0;
  }
  const plan = await scheduleOf(args);
  if (args.dryRun) return print(plan);

  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (!interrupted.signal.aborted) console.error("Interrupted: removing what was started");
      interrupted.abort();
    });
  }
  const folder = args.out ?? `${ROOT}.cache/chaos/${stamp()}_seed_${plan.seed}`;
  await Deno.mkdir(folder, { recursive: true });
  const planted = args.defect === undefined ? undefined : defectNamed(args.defect);
  const overlays = planted ? [await plant(planted, folder)] : [];
  const options: RunOptions = {
    schedule: plan,
    ...{
      rate: args.rate,
      patience: args.patience,
      minutes: plan.minutes,
      untilFound: args.untilFound || args.shrink,
    },
    ...(planted && { defect: { name: planted.name, overlays } }),
    ...{ folder, reporter: REPORTER, signal: interrupted.signal },
  };
  console.log(`seed ${plan.seed}, ${plan.episodes.length} episodes, ${args.rate} requests/s`);
  if (planted) console.log(`planted: ${planted.title}`);
  const result = await run(options);
  const file = `${folder}/result.json`;
  await Deno.writeTextFile(file, JSON.stringify(result));
  console.log(`results: ${file}`);
  if (args.report) {
    for (const file of await writeReport([result])) {
      console.log(`written: ${file}`);
    }
  }
  const found = violationsOf(result);
  conclude(result, found);
  if (args.shrink && found.length > 0 && !interrupted.signal.aborted) {
    await shorten(result, options, args.shrinkMinutes);
  }
  if (interrupted.signal.aborted) return 130;
  if (planted) {
    console.log(found.length > 0 ? `Found: ${planted.title}.` : `NOT FOUND: ${planted.title}.`);
    return found.length > 0 ? 0 : 1;
  }
  return found.length > 0 ? 1 : 0;
}

/** Looks for the fewest steps that still show what was found first, each try on a fresh stack. */
async function shorten(result: RunResult, options: RunOptions, minutes: number): Promise<void> {
  const first = result.episodes.find(({ violations }) => violations.length > 0);
  if (!first) return;
  const end = Date.now() + minutes * 60_000;
  let number = 0;
  const shortest = await shrink(options.schedule, first.episode.number, {
    shows: async (schedule) => {
      const folder = `${options.folder}/shrink_${++number}`;
      const again = await run({ ...options, schedule, minutes: 60, untilFound: true, folder });
      return violationsOf(again).length > 0;
    },
    note: (text) => REPORTER.note(`shrinking: ${text}`),
    over: () => options.signal.aborted || Date.now() > end,
  });
  if (!shortest) return console.log("Not seen again: it depends on more than the schedule.");
  const file = `${options.folder}/shrunk.json`;
  await Deno.writeTextFile(file, JSON.stringify(shortest, null, 1));
  console.log(`The shortest schedule that showed it: deno task chaos --replay ${file}`);
  print(shortest);
}

async function scheduleOf({ replay, only, seed, minutes, dense }: Arguments): Promise<Schedule> {
  if (replay !== undefined) {
    const plan = scheduleFile.parse(JSON.parse(await Deno.readTextFile(replay)));
    for (const { steps } of plan.episodes) {
      for (const step of steps) if (step.what === "fault") kindNamed(step.kind);
    }
    return { ...plan, minutes: Math.max(minutes, plan.episodes.length) };
  }
  const kinds = KINDS.filter(({ name }) =>
    only.length === 0 || only.some((word) => name.toLowerCase().includes(word.toLowerCase()))
  );
  if (kinds.length === 0) throw new TypeError(`No fault's name has ${only.join(" or ")} in it`);
  return schedule(seed, minutes, kinds, dense ? DENSE : {});
}

function list(): number {
  for (const { name, heals, may } of KINDS) {
    const cost = may?.outage
      ? "any request while it lasts"
      : may?.hung !== undefined
      ? `${may.hung} requests that wait`
      : may?.inHand !== undefined
      ? "what is under way at its moment"
      : "";
    console.log(`${name}: right again within ${heals} s; may cost ${cost || "nothing"}`);
    if (may && cost) console.log(`    as ${may.because}`);
  }
  return 0;
}

function print({ seed, episodes }: Schedule): number {
  console.log(`seed ${seed}`);
  for (const { number, instances, steps } of episodes) {
    console.log(`episode ${number}, ${instances} instances`);
    for (const step of steps) console.log(`    ${stepInWords(step)}`);
  }
  return 0;
}

const REPORTER: RunOptions["reporter"] = {
  note: (text) => console.log(`${time()}  ${text}`),
  episode: ({ episode, done, sent, lost, stood, seconds, violations }, of) => {
    const what = done.map(({ what, note }) => note === undefined ? what : `${what} (${note})`);
    console.log(`${time()}  ${episode.number}/${of}  ${what.join("; ")}`);
    const right = seconds === undefined
      ? "NEVER right again"
      : `right after ${seconds.toFixed(1)} s`;
    console.log(
      `          ${right}; ${sent.GET + sent.POST} requests, failed: ${inWords(lost) || "none"}`,
    );
    if (stood > 0) console.log(`          the load itself stood still for ${stood.toFixed(1)} s`);
    for (const what of violations) console.log(`          BROKEN: ${what}`);
  },
};

function conclude({ episodes, rate }: RunResult, found: readonly string[]): void {
  const faults = episodes.flatMap(({ done }) => done.filter(({ kind }) => kind === "fault"));
  const sent = episodes.reduce((sum, { sent }) => sum + sent.GET + sent.POST, 0);
  const lost = episodes.reduce((sum, { lost }) => sum + lost.length, 0);
  console.log(
    `${episodes.length} episodes, ${faults.length} faults, ${sent} requests (${rate}/s), ` +
      `${lost} failed; ${found.length} violations`,
  );
  for (const what of found) console.log(`BROKEN: ${what}`);
  if (found.length === 0) console.log("Everything holds that has to.");
}

function time(): string {
  return new Date().toISOString().slice(11, 19);
}

function stamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "_");
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (error instanceof CommanderError) Deno.exit(error.exitCode === 0 ? 0 : 2);
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(error instanceof TypeError ? 2 : 1);
  }
}
