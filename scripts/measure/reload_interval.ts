// Measures what RELOAD_MIN_INTERVAL costs and gains: the same changes under the same load with one value after another.
// On an edge and an etcd of its own; prints Markdown for docs/decisions/reload_interval.md.
//
//   deno run -A scripts/measure/reload_interval.ts [--intervals 1,25,50,100,200,400] [--rate 1000] [--singles 20]
//                                                  [--pairs 20] [--bursts 4] [--rounds 2]
//
// Singles: a change every 700 ms. Pairs: two changes 1 to 40 ms after each other, as when two containers start together.
// Bursts: thirty changes, one every 15 ms, as when Docker starts thirty. The instances that come and go are of a service
// that nobody asks for.
import { parseArgs } from "node:util";
import { delay } from "../../discovery/delay.ts";
import { Edge, registration } from "../../nginx/testing/edge.ts";
import { accountFor, failed } from "../bench/measure/account.ts";
import { Load } from "../bench/load/load.ts";
import { percentile } from "../bench/measure/statistics.ts";
import { eventually } from "../testing/docker.ts";
import { type WentLive, wentLive } from "./edge/edge_log.ts";
import { Sampler } from "./edge/sampler.ts";
import { markdownTable } from "./edge/table.ts";

const { values } = parseArgs({
  options: {
    intervals: { type: "string", default: "1,25,50,100,200,400" },
    rate: { type: "string", default: "1000" },
    singles: { type: "string", default: "20" },
    pairs: { type: "string", default: "20" },
    bursts: { type: "string", default: "4" },
    rounds: { type: "string", default: "2" },
  },
});
const intervals = values.intervals.split(",").map(Number);
const rate = Number(values.rate);
const BURST = 30;

await using edge = await Edge.build();
await edge.startEtcd();
const instances = [await edge.instance("a"), await edge.instance("b")];

/** What one interval made of one kind of change, over all rounds. */
interface Figures {
  /** Of each change: written → live, ms. */
  readonly toLive: number[];
  /** Of each burst: last written → all live, ms. */
  readonly lastToLive: number[];
  readonly gaps: number[];
  readonly latencies: string[];
  changes: number;
  reloads: number;
  failed: number;
  slow: number;
  workers: number;
  mib: number;
}
type Kind = "singles" | "pairs" | "bursts";
const KINDS: readonly Kind[] = ["singles", "pairs", "bursts"];
const all = new Map<string, Figures>();
const figuresOf = (interval: number, kind: Kind): Figures => {
  const name = `${interval} ${kind}`;
  if (!all.has(name)) {
    const [toLive, lastToLive, gaps, latencies] = [[], [], [], []];
    const counts = { changes: 0, reloads: 0, failed: 0, slow: 0, workers: 0, mib: 0 };
    all.set(name, { toLive, lastToLive, gaps, latencies, ...counts });
  }
  return all.get(name)!;
};

for (let round = 0; round < Number(values.rounds); round++) {
  // There and back, so that what drifts on the machine hits all alike.
  for (const interval of round % 2 === 0 ? intervals : intervals.toReversed()) {
    await edge.delete("/services/", { prefix: true });
    await edge.start({ RELOAD_MIN_INTERVAL: `${interval}ms`, ACCESS_LOG: "off" });
    await edge.put({
      "/services/service/0": registration(instances[0]!),
      "/services/service/1": registration(instances[1]!),
    });
    await edge.vouch();
    await eventually(async () => {
      if ((await edge.get()).status !== 200) throw new Error("nobody serves");
    });
    await delay(1_000);
    for (const kind of KINDS) {
      console.error(`round ${round + 1}, ${interval} ms, ${kind}`);
      await measure(kind, figuresOf(interval, kind));
    }
    await edge.remove("edge");
  }
}

const ms = (list: readonly number[], share: number) =>
  list.length === 0 ? "–" : percentile(list.toSorted((a, b) => a - b), share).toFixed(0);
for (const kind of KINDS) {
  const rows = intervals.map((interval) => {
    const of = figuresOf(interval, kind);
    return [
      `${interval} ms`,
      `${ms(of.toLive, 0.5)} / ${ms(of.toLive, 0.95)} / ${ms(of.toLive, 1)}`,
      ...(kind === "bursts" ? [`${ms(of.lastToLive, 0.5)} / ${ms(of.lastToLive, 1)}`] : []),
      (of.reloads / of.changes).toFixed(2),
      ms(of.gaps, 0),
      `${of.workers}`,
      `${of.mib.toFixed(0)} MiB`,
      of.latencies.join(", "),
      `${of.slow}, ${of.failed}`,
    ];
  });
  console.log(`\n${kind}\n`);
  console.log(markdownTable([
    [
      "interval",
      "written → live p50 / p95 / max, ms",
      ...(kind === "bursts" ? ["last written → all live p50 / max, ms"] : []),
      "reloads per change",
      "least ms between two",
      "most workers",
      "nginx's memory at most",
      "latency p99 of each round, ms",
      "slower than 0.5 s, failed",
    ],
    ...rows,
  ]));
}

async function measure(kind: Kind, figures: Figures): Promise<void> {
  const from = (await live()).length;
  const sampler = Sampler.start(edge);
  const load = new Load({
    address: { hostname: "127.0.0.1", port: edge.port },
    target: { host: "measure", getPath: "/", postPath: "/", expect: "status" },
    mix: { seed: 1, postShare: 0.2, freshShare: 0.5 },
    ...{ rate, maxRequests: rate * 120, connections: 50, maxUnderWay: 500, timeoutMs: 10_000 },
  });
  await delay(500);
  /** When each instance was written, and how many instances stood in etcd then. */
  const written: { readonly at: number; readonly count: number }[] = [];
  let count = instances.length;
  const put = async () => {
    const at = Date.now();
    await edge.put({ [`/services/other/${count}`]: registration(`10.254.0.${count}`) });
    written.push({ at, count: ++count });
  };
  const ends: number[] = [];
  for (let i = 0; i < Number(values[kind]); i++) {
    const size = kind === "singles" ? 1 : kind === "pairs" ? 2 : BURST;
    const pause = kind === "bursts" ? 15 : 1 + (i * 40) / Number(values[kind]);
    const begun = performance.now();
    for (let j = 0; j < size; j++) {
      await put();
      await delay(Math.max(0, begun + (j + 1) * pause - performance.now()));
    }
    ends.push(written.length - 1);
    await delay(kind === "bursts" ? 1_500 : 700);
    if (kind === "bursts") {
      await edge.delete("/services/other/", { prefix: true });
      count = instances.length;
      await delay(1_000);
    }
  }
  const account = accountFor(await load.stop());
  const { workers, mib } = await sampler.stop();
  const lines = (await live()).slice(from);
  for (const [i, { at, count }] of written.entries()) {
    const went = lines.find((line) => line.at >= at && line.instances >= count);
    if (!went) throw new Error("Cannot measure: a change did not go live");
    figures.toLive.push(went.at - at);
    if (ends.includes(i)) figures.lastToLive.push(went.at - at);
  }
  await edge.delete("/services/other/", { prefix: true });
  await eventually(async () => {
    if ((await live()).at(-1)!.instances !== instances.length) throw new Error("not empty yet");
  });
  figures.changes += written.length;
  figures.reloads += lines.length;
  figures.gaps.push(...lines.slice(1).map(({ sinceLastReload }) => sinceLastReload));
  figures.failed += failed(account);
  figures.slow += account.slow;
  figures.latencies.push(account.latency?.p99.toFixed(1) ?? "–");
  figures.workers = Math.max(figures.workers, workers);
  figures.mib = Math.max(figures.mib, mib);
}

async function live(): Promise<readonly WentLive[]> {
  const { stderr } = await new Deno.Command("docker", {
    args: ["logs", `${edge.name}-edge`],
    stdout: "null",
  }).output();
  return wentLive(new TextDecoder().decode(stderr));
}
