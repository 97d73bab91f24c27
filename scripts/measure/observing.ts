// What being looked at costs: throughput of one stack with the page, a browser, Prometheus and the traffic log, and of one
// without any of them, saturated in turn. Prints Markdown for docs/measurements.md.
// Usage: deno run -A scripts/measure/observing.ts [rounds, 12] [seconds, 5]
import { Stack } from "../e2e/stack.ts";
import { docker, eventually, run } from "../testing/docker.ts";
import { findTool, parseWrk } from "../bench/scenarios/throughput.ts";

const [rounds, seconds] = [Number(Deno.args[0] ?? 12), Number(Deno.args[1] ?? 5)];
const CONNECTIONS = 32;
const INSTANCES = 2;

if (await findTool() !== "wrk") {
  console.error("Cannot saturate nginx: install wrk (Debian: apt-get install wrk).");
  Deno.exit(1);
}
const seen = new Stack();
const unseen = new Stack({ TRAFFIC_LOG: "off" });
const stop = new AbortController();
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
  const ratios: number[] = [];
  const rates = { seen: [] as number[], unseen: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const rate = new Map<Stack, number>();
    for (const stack of round % 2 === 0 ? [seen, unseen] : [unseen, seen]) {
      rate.set(stack, await saturate(stack, round === 0 ? 2 : seconds));
    }
    if (round === 0) continue; // for warming up
    rates.seen.push(rate.get(seen)!);
    rates.unseen.push(rate.get(unseen)!);
    ratios.push(rate.get(seen)! / rate.get(unseen)!);
    console.error(`round ${round}: ${ratios.at(-1)!.toFixed(3)}`);
  }
  stop.abort();
  await watching;
  const middle = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const round = (value: number) => Math.round(value).toLocaleString("en");
  const rows = [
    [
      `requests/s through nginx, saturated by wrk with ${CONNECTIONS} connections, ${INSTANCES} instances: with the page, a browser, /metrics each second and the traffic log, p50 of ${rounds}`,
      round(middle(rates.seen)),
    ],
    ["the same without page and traffic log", round(middle(rates.unseen))],
    [
      "ratio within a round, p50 (least to most)",
      `${middle(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ${
        Math.max(...ratios).toFixed(3)
      })`,
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
