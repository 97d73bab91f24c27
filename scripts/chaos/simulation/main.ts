// `deno task chaos:model`: searches random schedules for a violation, prints the shortest it can make of one.
import { parseArgs } from "node:util";
import { bugNamed, exitWith, progress, whole } from "../search_command.ts";
import { type BugName, BUGS } from "./bugs.ts";
import { drawSchedule } from "./schedule.ts";
import { type Found, searchInParallel, shrink, simulate } from "./search.ts";

const HELP =
  `Simulates the registrator's own code with models of Docker, etcd, confd and the edge's scripts in
virtual time, under random changes and faults, and checks what must hold all along and after quiet.

  deno task chaos:model                              10,000 schedules of a seed by chance
  deno task chaos:model --schedules 1000000 --seed 1
  deno task chaos:model --seed 4711 --schedules 1 --timeline   one schedule, told moment by moment
  deno task chaos:model --bugs                       how soon each planted bug is found

  --schedules N   how many at most (10000)
  --seed N        of the first schedule; the next has N + 1
  --threads N     one for each core, unless this says otherwise
  --bug NAME      plants a bug: ${Object.keys(BUGS).join(", ")}
  --bugs          plants each of them, one after the other
  --timeline      prints the timeline of the first schedule

Exit code: 0 nothing found (with --bugs: each found), 1 a violation (with --bugs: one not found), 2 wrong arguments.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: "string", default: "10000" },
      threads: { type: "string", default: String(navigator.hardwareConcurrency) },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      bug: { type: "string" },
      bugs: { type: "boolean", default: false },
      timeline: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const seed = whole("seed", values.seed);
  const schedules = whole("schedules", values.schedules);
  const threads = Math.max(1, whole("threads", values.threads));
  const bug = values.bug === undefined ? undefined : bugNamed(BUGS, values.bug);
  if (values.timeline) {
    const { timeline, violation } = await simulate(drawSchedule(seed), {
      ...(bug && { bug }),
      tell: true,
    });
    for (const { at, what } of timeline) console.log(line(at, what));
    return violation === undefined ? 0 : 1;
  }
  if (values.bugs) {
    let missed = 0;
    for (const name of Object.keys(BUGS) as BugName[]) {
      if (await run({ seed, schedules, threads, bug: name }) === 0) missed++;
    }
    return missed === 0 ? 0 : 1;
  }
  return await run({ seed, schedules, threads, bug });
}

interface Wanted {
  readonly seed: number;
  readonly schedules: number;
  readonly threads: number;
  readonly bug?: BugName | undefined;
}

/** Searches and prints; returns 1 when something was found. */
async function run({ seed, schedules, threads, bug }: Wanted): Promise<number> {
  console.log(
    `seed ${seed}, ${schedules} schedules at most${bug ? `, planted: ${BUGS[bug].what}` : ""}`,
  );
  const result = await searchInParallel({ seed, schedules, bug }, { each: progress(), threads });
  const { found, seconds, simulated } = result;
  const pace = Math.round(result.schedules / seconds);
  console.log(
    `${found ? "FOUND" : "nothing found"} after ${result.schedules} schedules, ${
      seconds.toFixed(1)
    } s ` +
      `(${pace} a second, ${(simulated / 3_600_000).toFixed(1)} h of simulated time)`,
  );
  if (found) await tell(found, bug);
  return found ? 1 : 0;
}

async function tell(found: Found, bug: BugName | undefined): Promise<void> {
  const { schedule, violation } = await shrink(found, bug);
  const { timeline } = await simulate(schedule, { ...(bug && { bug }), tell: true });
  console.log(`  seed ${schedule.seed}: ${violation}`);
  console.log(
    `  ${schedule.steps.length} of its ${found.schedule.steps.length} steps still show it:`,
  );
  for (const step of schedule.steps) console.log(`    ${JSON.stringify(step)}`);
  console.log("  timeline, in s since the opening:");
  for (const { at, what } of timeline) if (at >= 0) console.log(`  ${line(at, what)}`);
}

function line(at: number, what: string): string {
  return `${(at / 1000).toFixed(3).padStart(9)}  ${what}`;
}

if (import.meta.main) await exitWith(main);
