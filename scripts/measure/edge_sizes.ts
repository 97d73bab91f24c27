// Measures how long one change takes to go live when much is registered, and what it costs. Prints Markdown for
// docs/measurements.md.
//
//   deno run -A scripts/measure/edge_sizes.ts [--changes 10]
//
// Real etcd, confd and nginx; the registered addresses are nobody's, as none of them gets a request.
import { parseArgs } from "node:util";
import { delay } from "../../discovery/delay.ts";
import { Edge, registration } from "../../nginx/testing/edge.ts";
import { type Crowd, crowd } from "../../nginx/testing/registrations.ts";
import { docker, eventually } from "../testing/docker.ts";
import { markdownTable } from "./edge/table.ts";

const { values } = parseArgs({ options: { changes: { type: "string", default: "10" } } });
const changes = Number(values.changes);
/** ms; some looks of the sweep are in it. */
const REST = 16_000;
const SIZES: readonly (readonly [number, Crowd])[] = [
  [10, {}],
  [1_000, {}],
  [10_000, {}],
  [10_000, { services: 100, routed: true }],
  [10_000, { services: 1_000, routed: true }],
];

/** Processor time that the edge's container has used, in ms. */
async function cpuOf(edge: Edge): Promise<number> {
  const text = await edge.exec(
    "cat /sys/fs/cgroup/cpu.stat 2>/dev/null || cat /sys/fs/cgroup/cpuacct/cpuacct.usage",
  );
  const usec = text.match(/^usage_usec (\d+)$/m)?.[1];
  return usec === undefined ? Number(text) / 1e6 : Number(usec) / 1e3;
}

const rows: string[][] = [];
await using edge = await Edge.build();
await edge.startEtcd();
await edge.start();
await edge.vouch();
for (const [turn, [count, kind]] of SIZES.entries()) {
  await edge.delete("/services/", { prefix: true });
  await edge.fill(crowd(count, kind));
  await edge.settled(`full-${turn}`, 60_000);
  const before = (await edge.events("live")).length;
  const cpu = await cpuOf(edge);
  const took: number[] = [];
  for (let i = 0; i < changes; i++) {
    const address = `10.254.0.${i}`;
    const began = Date.now();
    await edge.put({ "/services/crowd-0/changed": registration(address) });
    const live = await eventually(async () => {
      const lines = (await edge.events("live")).slice(before + i);
      if (lines.length === 0) throw new Error("not live yet");
      return Date.parse(String(lines[0]!.time));
    }, { within: 30_000, every: 20 });
    took.push(live - began);
  }
  const used = (await cpuOf(edge) - cpu) / changes;
  await delay(REST / 2); // what the last change has left to do
  const resting = await cpuOf(edge);
  await delay(REST);
  const atRest = (await cpuOf(edge) - resting) / REST;
  const lines = (await edge.events("live")).slice(before);
  const middle = (numbers: readonly number[]) =>
    numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
  const field = (name: string) => middle(lines.map((line) => Number(line[name])));
  const memory = (await docker(
    ...["stats", "--no-stream", "--format", "{{.MemUsage}}", `${edge.name}-edge`],
  )).split(" / ")[0]!;
  const size = Number(await edge.exec("stat -c %s /run/rollcall/nginx.conf"));
  rows.push([
    `${count} in ${kind.services ?? 1} service(s)${kind.routed ? ", each with a route" : ""}`,
    `${middle(took)} / ${Math.max(...took)}`,
    `${field("check_ms")} / ${field("reload_ms")}`,
    `${Math.round(used)}`,
    `${(100 * atRest).toFixed(1)} %`,
    memory.trim(),
    `${(size / 1e6).toFixed(2)} MB`,
  ]);
  console.error(rows.at(-1)!.join("   "));
}
const head = ["instances", "put → live, p50 / max, ms", "check / reload, p50, ms"];
console.log(
  markdownTable([[
    ...head,
    "processor per change, ms",
    "at rest, of a core",
    "memory",
    "nginx.conf",
  ], ...rows]),
);
