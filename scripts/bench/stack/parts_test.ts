import assert from "node:assert/strict";
import { partsBetween } from "../measure/measurement.ts";
import { parseUsage } from "./parts.ts";

const cpu_stats = { cpu_usage: { total_usage: 2_500_000_000 } };

Deno.test("parseUsage() leaves the file cache out, on cgroup v1 and v2", () => {
  for (const name of ["total_inactive_file", "inactive_file"]) {
    const memory_stats = { usage: 30 * 2 ** 20, stats: { [name]: 10 * 2 ** 20 } };
    assert.deepEqual(parseUsage({ memory_stats, cpu_stats }), { memoryMiB: 20, cpuSeconds: 2.5 });
  }
});

Deno.test("parseUsage() copes with a container that has just ended", () => {
  assert.equal(parseUsage({ memory_stats: {}, cpu_stats }).memoryMiB, 0);
});

Deno.test("partsBetween() takes the difference of processor time, and memory as it is", () => {
  const before = new Map([["1", { memoryMiB: 5, cpuSeconds: 2 }]]);
  const after = new Map([
    ["1", { memoryMiB: 7, cpuSeconds: 3 }],
    ["2", { memoryMiB: 1, cpuSeconds: 0.5 }],
  ]);
  assert.deepEqual(partsBetween(new Map([["1", "nginx"], ["2", "etcd"]]), before, after), [
    { service: "nginx", memoryMiB: 7, cpuSeconds: 1 },
    { service: "etcd", memoryMiB: 1, cpuSeconds: 0.5 },
  ]);
});
