// Threads search what they are told to, each schedule once.
import assert from "node:assert/strict";
import { parallelSearch } from "./parallel_search.ts";
import { simulate } from "./search.ts";

Deno.test("parallelSearch() runs as many schedules as it is told to", async () => {
  let ran = 0;
  const { found, schedules, simulated } = await parallelSearch({
    ...{ seed: 1, schedules: 1_100, threads: 2 },
    each: (now) => ran = now,
  });
  assert.equal(found, undefined);
  assert.equal(schedules, 1_100);
  assert.equal(ran, 1_100);
  assert.ok(simulated > 0);
});

Deno.test("parallelSearch() hands over what a thread has found, to be run again", async () => {
  const bug = "absence-believed";
  const { found } = await parallelSearch({ seed: 1, schedules: 2_000, threads: 2, bug });
  assert.ok(found);
  const again = await simulate(found.schedule, { bug });
  assert.equal(again.violation, found.violation);
});
