// Measures what docs/measurements.md says about scaling, on a stack of its own, and prints it as Markdown.
// Not a benchmark against others: that is scripts/bench.
import { delay } from "../../discovery/delay.ts";
import { docker, eventually } from "../testing/docker.ts";
import { Stack } from "../e2e/stack.ts";
import { accountFor, failed } from "../bench/measure/account.ts";
import { livesOf, turnoverOf } from "../bench/measure/lives.ts";
import { EventWatch } from "../bench/stack/events.ts";

/** How long is looked at what it costs to do nothing, in ms: each health check comes up at least twice. */
const REST = 60_000;
const rows: string[] = [];
const row = (what: string, figure: string) => {
  rows.push(`| ${what} | ${figure} |`);
  console.error(`  ${what}: ${figure}`);
};
const step = (text: string) =>
  console.error(`[${(performance.now() / 1000).toFixed(1).padStart(6)} s] ${text}`);

const stack = new Stack();
try {
  step("one instance");
  await stack.compose("up", "-d", "--build", "--scale", "service=1");
  await eventually(() => stack.answering(1), { within: 60_000 });

  step("1 → 5");
  const accepting = lastToAccept(5);
  const five = seen(5);
  await stack.scale(5);
  const [acceptedAt, seenAt] = await Promise.all([accepting, five]);
  row(
    "`up --scale service=5 --no-recreate` from 1: five distinct instances through nginx, after the last one accepts connections",
    `${Math.max(0, Math.round(seenAt - acceptedAt))} ms`,
  );

  step("5 → 2 under 200 GET/s");
  const lags = await scaleDown(5, 2, 200);
  row(
    "`--scale service=2`: last request sent to each of the three leaving ones, after its kill event",
    lags.map((lag) => `${lag} ms`).join(", "),
  );

  step("3 → 1 → 3, five times, under 200 GET/s");
  await stack.scale(3);
  await eventually(() => settled(3));
  const load = await stack.load(200);
  for (let round = 0; round < 5; round++) {
    for (const count of [1, 3]) {
      await stack.scale(count);
      await eventually(() => settled(count));
    }
    step(`  round ${round + 1} of 5`);
  }
  const account = accountFor(await load.stop());
  row(
    "3 → 1 → 3 five times under 200 GET/s: failed requests",
    `${failed(account)} of ${account.sent.GET}`,
  );
  if (account.failures.length > 0) console.error(account.failures);

  step("memory at rest");
  const ids = (await stack.compose("ps", "-q")).trim().split("\n");
  const stats = await docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", ...ids);
  for (const line of stats.trim().split("\n").sort()) {
    const [name = "", used = ""] = line.split(" ");
    row(`memory at rest: ${name.replace(`${stack.project}-`, "")}`, used);
  }

  step("ten instances at rest, a minute; meant for a machine that does nothing else");
  await stack.scale(10);
  await eventually(() => settled(10), { within: 30_000 });
  await delay(10_000); // the starts have calmed down
  const before = await busy();
  await delay(REST);
  row(
    "ten instances at rest: processor, of the whole machine with Docker's own and every health check",
    `${(((await busy()) - before) / REST * 100).toFixed(1)} % of a core`,
  );
} finally {
  await stack.down();
}
console.log(["| what | figure |", "| --- | --- |", ...rows].join("\n"));

/** Processor time that this machine has spent on anything since it was started, in ms. */
async function busy(): Promise<number> {
  const [, user, nice, system, , , irq, softirq] = // between them: idle, iowait
    (await Deno.readTextFile("/proc/stat")).split("\n")[0]!.split(/ +/).map(Number);
  return (user! + nice! + system! + irq! + softirq!) * 10; // in hundredths of a second, on every Linux that runs Docker
}

/** When the last of `count` instances first accepted a connection, in ms since 1970. */
async function lastToAccept(count: number): Promise<number> {
  const first = new Map<string, number>();
  while (first.size < count) {
    for (const id of await stack.containers()) {
      if (first.has(id)) continue;
      first.set(id, Infinity);
      const network = `${stack.project}_edge`;
      const address = (await docker(
        "inspect",
        "--format",
        `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
        id,
      )).trim();
      accepts(address).then((at) => first.set(id, at));
    }
    await delay(5);
  }
  await eventually(() => {
    if (Math.max(...first.values()) === Infinity) throw new Error("not all accept");
  }, { every: 5 });
  return Math.max(...first.values());
}

async function accepts(hostname: string): Promise<number> {
  return await eventually(async () => {
    (await Deno.connect({ hostname, port: 8080 })).close();
    return Date.now();
  }, { every: 2 });
}

/** When `count` distinct instances have answered through nginx, in ms since 1970. */
async function seen(count: number): Promise<number> {
  const instances = new Set<string>();
  while (instances.size < count) {
    for (const instance of await stack.answering(1)) instances.add(instance);
    await delay(2);
  }
  return Date.now();
}

async function settled(count: number): Promise<void> {
  if ((await stack.registrations()).size !== count) throw new Error("not settled");
  if ((await stack.answering(count * 4)).size !== count) throw new Error("not settled");
}

/** For each leaving instance, how long after its kill event a request was still sent to it, in ms. */
async function scaleDown(from: number, to: number, rate: number): Promise<readonly number[]> {
  await eventually(() => settled(from));
  const load = await stack.load(rate, from);
  const watch = new EventWatch(stack.project, Date.now());
  await stack.scale(to);
  await eventually(() => settled(to));
  const recording = await load.stop();
  await watch.stop();
  const { failures } = accountFor(recording);
  if (failures.length > 0) console.error(failures);
  return turnoverOf(livesOf(watch.events, new Map(), recording)).killToLast.map(Math.round);
}
