import assert from "node:assert/strict";
import { dueAt, dueBy, planned } from "./plan.ts";

const first = (count: number, seed: number, postShare = 0.2, freshShare = 0.5) =>
  Array.from({ length: count }, (_, i) => planned(i, { seed, postShare, freshShare }));

Deno.test("planned() gives the same requests for the same seed, others for another", () => {
  assert.deepEqual(first(100, 1), first(100, 1));
  assert.notDeepEqual(first(100, 1), first(100, 2));
});

Deno.test("planned() keeps the shares, each for itself", () => {
  const all = first(10_000, 3);
  const share = (pick: (request: typeof all[number]) => boolean) =>
    all.filter(pick).length / all.length;
  assert.ok(Math.abs(share(({ post }) => post) - 0.2) < 0.02);
  assert.ok(Math.abs(share(({ fresh }) => fresh) - 0.5) < 0.02);
  assert.ok(Math.abs(share(({ post, fresh }) => post && fresh) - 0.1) < 0.02);
});

Deno.test("planned() keeps the shares of nothing and of everything exactly", () => {
  assert.ok(first(1000, 1, 0, 0).every(({ post, fresh }) => !post && !fresh));
  assert.ok(first(1000, 1, 1, 1).every(({ post, fresh }) => post && fresh));
});

Deno.test("dueBy() counts what dueAt() has planned", () => {
  assert.deepEqual([-1, 0, 0.9, 1, 9.9, 10].map((ms) => dueBy(ms, 1000)), [0, 1, 1, 2, 10, 11]);
  for (const index of [0, 1, 7, 1000]) {
    assert.equal(dueBy(dueAt(index, 250), 250), index + 1);
  }
});
