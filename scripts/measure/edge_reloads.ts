// Measures the edge without containers coming and going: reloads under full load, many keys at once, and 10,000
// instances. On an edge and an etcd of its own; prints Markdown for docs/measurements.md.
//
//   deno run -A scripts/measure/edge_reloads.ts [--reloads 50] [--instances 10000] [--interval 100ms]
import { parseArgs } from "node:util";
import { delay } from "../../discovery/delay.ts";
import { Edge, registration } from "../../nginx/testing/edge.ts";
import { runClosedLoop } from "../bench/load/closed_loop.ts";
import { summarize } from "../bench/measure/statistics.ts";
import { usageOf } from "../bench/stack/parts.ts";
import { eventually } from "../testing/docker.ts";
import { markdownTable } from "./edge/table.ts";

const { values } = parseArgs({
  options: {
    reloads: { type: "string", default: "50" },
    instances: { type: "string", default: "10000" },
    interval: { type: "string", default: "100ms" },
  },
});
const [reloads, instances] = [Number(values.reloads), Number(values.instances)];
const rows: string[][] = [["what", "figure"]];
const row = (what: string, figure: string) => {
  rows.push([what, figure]);
  console.error(`  ${what}: ${figure}`);
};

await using edge = await Edge.build();
await edge.startEtcd();
await edge.start({ RELOAD_MIN_INTERVAL: values.interval, ACCESS_LOG: "off" });
const [a, b] = [await edge.instance("a"), await edge.instance("b")];
await edge.vouch();
await edge.put({ "/services/service/0": registration(a), "/services/service/1": registration(b) });
await live(2);

// Each change takes one of the two out or puts it back.
let before = await count();
const turn = Math.max(250, 2 * parseInt(values.interval));
const load = runClosedLoop({
  address: { hostname: "127.0.0.1", port: edge.port },
  target: { host: "measure", getPath: "/", postPath: "/", expect: "status" },
  connections: 64,
  durationMs: reloads * turn + 1_000,
});
const peak = { workers: 0, mib: 0 };
for (let i = 0; i < reloads; i++) {
  if (i % 2 === 0) await edge.delete("/services/service/1");
  else await edge.put({ "/services/service/1": registration(b) });
  await delay(turn / 2);
  await look();
  await delay(turn / 2);
}
const { requestsPerSecond, failed } = await load;
row(
  `reloads under full load over 64 kept connections, one every ${turn} ms: failed requests`,
  `${failed} of ${Math.round(requestsPerSecond * (reloads * turn + 1_000) / 1000)} ` +
    `(${await count() - before} reloads, ${requestsPerSecond.toFixed(0)}/s)`,
);
row(
  "the same: most workers at once, most memory of nginx's processes",
  `${peak.workers}, ${peak.mib.toFixed(0)} MiB (shared pages counted once for each process)`,
);

before = await count();
const hundred = (j: number) =>
  Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [
      `/services/many/${j}-${i}`,
      registration(`10.${1 + (j >> 8)}.${j & 255}.${1 + i}`),
    ]),
  );
let began = performance.now();
await edge.put(hundred(0));
await live(102);
row(
  "100 instances written into etcd in one transaction: all live after; reloads",
  `${(performance.now() - began).toFixed(0)} ms; ${await count() - before}`,
);
before = await count();
began = performance.now();
for (const [key, value] of Object.entries(hundred(1))) await edge.put({ [key]: value });
const written = performance.now();
await live(202);
row(
  "100 instances written one by one: all live after the last; reloads",
  `${(performance.now() - written).toFixed(0)} ms (writing took ${
    (written - began).toFixed(0)
  } ms); ${await count() - before}`,
);

for (let j = 2; j < instances / 100; j++) await edge.put(hundred(j));
await live(instances + 2, 60_000);
await delay(2_000); // the old workers leave
const memory = await processes();
const cpu = await cpuSeconds();
const times: number[] = [];
for (let i = 0; i < 10; i++) {
  const generations = await count();
  began = performance.now();
  if (i % 2 === 0) await edge.delete("/services/service/1");
  else await edge.put({ "/services/service/1": registration(b) });
  await eventually(async () => {
    if (await count() === generations) throw new Error("not live");
  }, { every: 20, within: 30_000 });
  times.push(performance.now() - began);
  await delay(1_000);
}
const used = (await cpuSeconds() - cpu) / 10;
const { p50, max } = summarize(times)!;
row(
  `${instances} instances: one change → live, p50 / max of 10`,
  `${p50.toFixed(0)} / ${max.toFixed(0)} ms`,
);
const last = (await edge.events("live")).at(-1)!;
row(
  "of the last one: check, reload until new workers answer",
  `${last.check_ms}, ${last.reload_ms} ms`,
);
row("processor time for one change, all processes of the container", `${used.toFixed(2)} s`);
row("memory with them: nginx's master and workers, confd", memory);
console.log(markdownTable(rows));

/** Configurations that went live so far. */
async function count(): Promise<number> {
  return (await edge.events("live")).length;
}

async function live(count: number, within = 20_000): Promise<void> {
  await eventually(async () => {
    const last = (await edge.events("live")).at(-1);
    if (last?.instances !== count) throw new Error(`${last?.instances} instances are live`);
  }, { within, every: 20 });
}

async function look(): Promise<void> {
  const text = await edge.exec(
    "for p in /proc/[0-9]*; do read -r n 2>/dev/null < $p/comm && [[ $n == nginx ]] && grep VmRSS $p/status; done; true",
  );
  const kib = [...text.matchAll(/VmRSS:\s+(\d+)/g)].map(([, kib]) => Number(kib));
  peak.workers = Math.max(peak.workers, kib.length - 1);
  peak.mib = Math.max(peak.mib, kib.reduce((sum, kib) => sum + kib, 0) / 1024);
}

async function processes(): Promise<string> {
  const text = await edge.exec(
    "for p in /proc/[0-9]*; do read -r n 2>/dev/null < $p/comm && [[ $n == nginx || $n == confd ]] && echo $n $(grep VmRSS $p/status); done; true",
  );
  return text.trim().split("\n").map((line) => line.split(" ")).map(([name, , kib]) =>
    `${name} ${(Number(kib) / 1024).toFixed(0)} MiB`
  ).join(", ");
}

/** Of all processes of the edge's container, ended ones included. */
async function cpuSeconds(): Promise<number> {
  const id = (await edge.docker("inspect", "edge", "-f", "{{.Id}}")).trim();
  return (await usageOf([id]))?.get(id)?.cpuSeconds ?? NaN;
}
