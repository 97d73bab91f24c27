// FakeClock: the other tests stand on it.
import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";

Deno.test("FakeClock.move() wakes sleepers in the order of their time, also those that begin meanwhile", async () => {
  const clock = new FakeClock();
  const start = clock.now();
  const woken: Array<[string, number]> = [];
  const note = (name: string) => woken.push([name, clock.now() - start]);
  clock.wait(30).then(() => note("c"));
  clock.wait(10).then(() => {
    note("a");
    clock.wait(10).then(() => note("b"));
  });
  clock.wait(100).then(() => note("later"));
  await clock.move(50);
  assert.deepEqual(woken, [["a", 10], ["b", 20], ["c", 30]]);
  assert.equal(clock.now() - start, 50);
  assert.equal(clock.waiting, 1);
});

Deno.test("FakeClock.wait() ends when the signal fires", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const pause = clock.wait(100, stop.signal);
  stop.abort();
  await pause;
  await clock.wait(100, stop.signal);
  assert.equal(clock.waiting, 0);
});
