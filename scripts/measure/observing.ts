// What being looked at costs: throughput of one stack with the page, a browser, Prometheus and the traffic log, and of one
// without any of them, saturated in turn. Prints Markdown for docs/measurements.md.
// What a shared machine gives changes within seconds, so the turns are short and many.
// Usage: deno run -A scripts/measure/observing.ts [pairs of turns, 30] [seconds of a turn, 2]
import { Stack } from "../e2e/stack.ts";
import { docker, eventually, run } from "../testing/docker.ts";
import { findTool, parseWrk } from "../bench/scenarios/throughput.ts";

const [pairs, seconds] = [Number(Deno.args[0] ?? 30), Number(Deno.args[1] ?? 2)];
const CONNECTIONS = 32;
const INSTANCES = 2;

if (await findTool() !== "wrk") {
  console.error("Cannot saturate nginx: install wrk (Debian: apt-get install wrk).");
  Deno.exit(1);
}
const seen = new Stack();
const unseen = new Stack({ TRAFFIC_LOG: "off" });
const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(
    signal,
    () => Promise.all([seen.down(), unseen.down()]).then(() => Deno.exit(1)),
  );
}
let bytes = 0;
let scrapes = 0;
try {
  for (const stack of [seen, unseen]) {
    await stack.compose("up", "-d", "--build", "--scale", `service=${INSTANCES}`);
    await eventually(async () => {
      if ((await stack.answering(8)).size < INSTANCES) throw new Error("not all answer");
    }, { within: 60_000 });
  }
  await unseen.compose("stop", "dashboard");
  const watching = watch(`http://127.0.0.1:${seen.dashboardPort}`);
  const turns: Array<{ readonly seen: number; readonly unseen: number }> = [];
  for (let pair = 0; pair <= pairs; pair++) {
    const rate = new Map<Stack, number>();
    for (const stack of pair % 2 === 0 ? [seen, unseen] : [unseen, seen]) {
      rate.set(stack, await saturate(stack, seconds));
    }
    if (pair > 0) turns.push({ seen: rate.get(seen)!, unseen: rate.get(unseen)! }); // the first is for warming up
    console.error(`pair ${pair}: ${[...rate.values()].map(Math.round).join(" ")}`);
  }
  stop.abort();
  await watching;
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  const ratioOf = (some: typeof turns) =>
    sum(some.map(({ seen }) => seen)) / sum(some.map(({ unseen }) => unseen));
  // Drawn again and again out of the same pairs: how far the ratio would be off by chance.
  const drawn = Array.from(
    { length: 2_000 },
    () => ratioOf(turns.map(() => turns[Math.floor(Math.random() * turns.length)]!)),
  ).toSorted((a, b) => a - b);
  const round = (value: number) => Math.round(value).toLocaleString("en");
  const rows = [
    [
      `requests/s through nginx, wrk with ${CONNECTIONS} connections, ${INSTANCES} instances: with the page, a browser, /metrics each second and the traffic log`,
      round(sum(turns.map(({ seen }) => seen)) / turns.length),
    ],
    [
      "the same without page and traffic log",
      round(sum(turns.map(({ unseen }) => unseen)) / turns.length),
    ],
    [
      `ratio, of ${pairs} pairs of ${seconds} s in turn (95 % of what chance would give)`,
      `${ratioOf(turns).toFixed(3)} (${drawn[50]!.toFixed(3)} to ${drawn[1_949]!.toFixed(3)})`,
    ],
    ["what the browser was sent meanwhile", `${round(bytes / 1000)} kB, ${scrapes} scrapes`],
  ];
  console.log(
    ["| what | figure |", "| --- | --- |", ...rows.map((row) => `| ${row.join(" | ")} |`)].join(
      "\n",
    ),
  );
} finally {
  stop.abort();
  await seen.down();
  await unseen.down();
}

/** Straight to nginx's container: Docker's own proxy on 127.0.0.1 would be what is measured. */
async function saturate(stack: Stack, seconds: number): Promise<number> {
  const format = `{{(index .NetworkSettings.Networks "${stack.project}_edge").IPAddress}}`;
  const address = (await docker("inspect", "--format", format, stack.name("nginx"))).trim();
  const output = await run("wrk", [
    ...["-t", "1", "-c", `${CONNECTIONS}`, "-d", `${seconds}s`, "-H", "Host: localhost"],
    `http://${address}:8080/`,
  ]);
  const { rate, failed } = parseWrk(output);
  if (failed > 0) throw new Error(`${failed} requests failed:\n${output}`);
  return rate;
}

/** A browser's stream of events, and a Prometheus that asks each second. */
async function watch(url: string): Promise<void> {
  const scrape = async () => {
    for (const path of ["/metrics", "/metrics/registrator"]) {
      const answer = await fetch(url + path);
      await answer.text();
      if (answer.ok) scrapes++;
    }
  };
  const scraping = setInterval(() => scrape().catch(() => {}), 1_000);
  try {
    const { body } = await fetch(`${url}/events`, { signal: stop.signal });
    for await (const part of body!) bytes += part.length;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    clearInterval(scraping);
  }
}
