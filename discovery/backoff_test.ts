// backoff(): bounds and growth.
import assert from "node:assert/strict";
import { backoff } from "./backoff.ts";

const least = { first: 100, most: 2_000, random: () => 0 };
const highest = { first: 100, most: 2_000, random: () => 0.999999 };

Deno.test("backoff() doubles with each try, from half to the whole of it", () => {
  assert.deepEqual([0, 1, 2, 3].map((tries) => backoff(tries, least)), [50, 100, 200, 400]);
  const tops = [0, 1, 2, 3].map((tries) => Math.round(backoff(tries, highest)));
  assert.deepEqual(tops, [100, 200, 400, 800]);
});

Deno.test("backoff() never exceeds `most`, however many tries", () => {
  for (const tries of [5, 31, 1_000, 1e9]) {
    assert.equal(backoff(tries, least), 1_000);
    assert.ok(backoff(tries, highest) <= 2_000);
  }
});

Deno.test("backoff() differs from one to the next: not everybody comes back at once", () => {
  const waits = new Set(Array.from({ length: 20 }, () => backoff(3, { first: 100, most: 2_000 })));
  assert.ok(waits.size > 1);
});
