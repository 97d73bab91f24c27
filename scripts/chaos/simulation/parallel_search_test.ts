// Threads search what they are told to, each schedule once.
import assert from "node:assert/strict";
import { searchInParallel, simulate } from "./search.ts";

Deno.test("searchInParallel() runs as many schedules as it is told to", async () => {
  let ran = 0;
  const { found, schedules, simulated } = await searchInParallel({ seed: 1, schedules: 1_100 }, {
    threads: 2,
    each: (now) => ran = now,
  });
  assert.equal(found, undefined);
  assert.equal(schedules, 1_100);
  assert.equal(ran, 1_100);
  assert.ok(simulated > 0);
});

Deno.test("searchInParallel() hands over what a thread has found, to be run again", async () => {
  const bug = "absence-believed";
  const { found } = await searchInParallel({ seed: 1, schedules: 2_000, bug }, { threads: 2 });
  assert.ok(found);
  const again = await simulate(found.schedule, { bug });
  assert.equal(again.violation, found.violation);
});
