// Pace: how soon who does not answer yet is probed again.
import assert from "node:assert/strict";
import { Pace } from "./pace.ts";

Deno.test("Pace.pause() is 10 ms at first, then 1 % of the time waited, 1 s at most", () => {
  const pace = new Pace();
  const pauses = [0, 150, 1_000, 3_000, 50_000, 100_000, 1e9].map((ms) => pace.pause("a", ms));
  assert.deepEqual(pauses, [10, 10, 10, 30, 500, 1_000, 1_000]);
});

Deno.test("Pace.pause() lets ten start without slowing each other, and keeps many within 1,000 probes a second", () => {
  for (const [count, pause] of [[1, 10], [10, 10], [30, 30], [300, 300]] as const) {
    const pace = new Pace();
    const names = Array.from({ length: count }, (_, i) => String(i));
    for (const name of names) pace.pause(name, 0);
    for (const name of names) assert.equal(pace.pause(name, 0), pause);
  }
});

Deno.test("Pace.pause() of one that starts hardly suffers from many that never answer", () => {
  const pace = new Pace();
  for (let i = 0; i < 300; i++) pace.pause(`broken ${i}`, 1e6);
  assert.equal(pace.pause("new", 0), 10);
});

Deno.test("Pace.end() gives the share back, whatever came before", () => {
  const pace = new Pace();
  for (let i = 0; i < 5_000; i++) pace.pause(String(i), i * 7);
  for (let i = 0; i < 5_000; i++) pace.end(String(i));
  pace.end("never there");
  assert.equal(pace.pause("a", 0), 10);
  for (let i = 0; i < 100; i++) pace.pause(String(i), 0);
  assert.ok(pace.pause("a", 0) > 100);
});
