import assert from "node:assert/strict";
import type { Sample } from "../looking/observer.ts";
import { growthOf, memoryComplaints } from "./memory.ts";

const MEGABYTE = 2 ** 20;
/** A sample every minute. */
const samples = (minutes: number, size: (minute: number) => number, share = 0.2): Sample[] =>
  Array.from({ length: minutes }, (_, minute) => ({
    ...{ at: minute * 60_000, name: "nginx", share },
    bytes: size(minute) * MEGABYTE,
  }));

Deno.test("growthOf() compares the middles of the first and the last third", () => {
  const [growth] = growthOf(samples(30, (minute) => minute === 15 ? 99 : minute));
  assert.deepEqual(growth, { name: "nginx", first: 4.5, last: 24.5, most: 99 });
});

Deno.test("memoryComplaints() tells of what grows, but not of a short run or of one peak", () => {
  assert.equal(memoryComplaints(samples(60, (minute) => 30 + 3 * minute)).length, 1);
  assert.deepEqual(memoryComplaints(samples(10, (minute) => 30 + 30 * minute)), []);
  assert.deepEqual(memoryComplaints(samples(60, (minute) => minute === 50 ? 300 : 60)), []);
});

Deno.test("memoryComplaints() tells of what comes near its limit, however short the run", () => {
  assert.match(memoryComplaints(samples(2, () => 450, 0.95)).join(), /95 %/);
});
