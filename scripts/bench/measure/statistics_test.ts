import assert from "node:assert/strict";
import { median, percentile, summarize } from "./statistics.ts";

Deno.test("percentile() takes the nearest rank", () => {
  const list = [10, 20, 30, 40, 50];
  assert.deepEqual([0, 0.2, 0.21, 0.5, 0.95, 1].map((share) => percentile(list, share)), [
    10,
    10,
    20,
    30,
    50,
    50,
  ]);
});

Deno.test("percentile() of a hundred numbers is the number itself", () => {
  const list = Array.from({ length: 100 }, (_, i) => i + 1);
  for (const n of [1, 50, 95, 99, 100]) assert.equal(percentile(list, n / 100), n);
});

Deno.test("percentile() refuses an empty list", () => {
  assert.throws(() => percentile([], 0.5), /list is empty/);
});

Deno.test("summarize() sorts by value and leaves NaN out", () => {
  assert.deepEqual(summarize([100, 9, NaN, 20]), {
    count: 3,
    min: 9,
    p50: 20,
    p95: 100,
    p99: 100,
    max: 100,
  });
});

Deno.test("summarize() has nothing to say about nothing", () => {
  assert.equal(summarize([NaN]), undefined);
  assert.equal(summarize([]), undefined);
});

Deno.test("median() takes the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});
