// Lives: who keeps crashing, and how long it must prove itself.
import assert from "node:assert/strict";
import { Lives, SHORT, trialAfter } from "./lives.ts";

const ns = (ms: number) => BigInt(ms) * 1_000_000n;

Deno.test("trialAfter() forgives one crash, then doubles from 1 s to 60 s", () => {
  const trials = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1_000].map(trialAfter);
  assert.deepEqual(trials, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1_000));
});

Deno.test("Lives counts short lives in a row, also those that ended before anybody looked", () => {
  const lives = new Lives();
  const crash = (lived?: bigint) => lives.ended("a", { lived, told: false, now: 0 });
  crash(ns(100));
  crash(undefined);
  crash(ns(SHORT - 1));
  assert.equal(lives.crashes("a"), 3);
  assert.equal(lives.crashes("b"), 0);
  crash(ns(SHORT));
  assert.equal(lives.crashes("a"), 0);
});

Deno.test("Lives takes an end that was asked for as no crash, and forgives those before", () => {
  const lives = new Lives();
  for (let i = 0; i < 5; i++) lives.ended("a", { lived: ns(10), told: false, now: 0 });
  lives.ended("a", { lived: ns(10), told: true, now: 0 });
  assert.equal(lives.crashes("a"), 0);
});

Deno.test("Lives forgets who does not exist any more, and who has not ended for ten minutes", () => {
  const lives = new Lives();
  lives.inherit("a", 4, 0);
  assert.equal(lives.crashes("a"), 4);
  lives.forget("a");
  for (let i = 0; i < 10_000; i++) {
    lives.ended(`c${i}`, { lived: ns(10), told: false, now: i * 1_000 });
  }
  assert.ok(lives.size <= 602, `${lives.size}`);
});
