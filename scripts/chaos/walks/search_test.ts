// The walks find what is planted, and nothing where nothing is planted.
import assert from "node:assert/strict";
import { BUGS } from "../simulation/bugs.ts";
import { search, searchInParallel, story, WALK_BUGS, type WalkBug } from "./search.ts";

/** More of them find more: SCHEDULES=10000000 deno test … */
const SCHEDULES = Number(Deno.env.get("SCHEDULES") ?? 50_000);
/** Within how many schedules each bug must be found: several times what it took when this was written. */
const WITHIN: Readonly<Record<WalkBug, number>> = {
  "list-brings-back": 2_000,
  "absence-believed": 2_000,
  "last-change-lost": 2_000,
  "vouches-early": 20_000,
  "pause-ignored": 2_000,
  "others-deleted": 2_000,
};

Deno.test(`walks: search() finds no violation in ${SCHEDULES} schedules`, () => {
  const { found, schedules } = search({ seed: 1, schedules: SCHEDULES });
  if (found) assert.fail(`${JSON.stringify(found)}\n${story(found).join("\n")}`);
  assert.equal(schedules, SCHEDULES);
});

for (const bug of Object.keys(WALK_BUGS) as WalkBug[]) {
  Deno.test(`walks: search() finds a planted bug: ${BUGS[bug].what}`, () => {
    const { found } = search({ seed: 1, schedules: WITHIN[bug], bug });
    assert.ok(found, `not found in ${WITHIN[bug]} schedules`);
    const told = story(found, bug);
    assert.ok(told.length > 0, "its story is told");
    assert.deepEqual(told, story(found, bug), "and is the same each time");
  });
}

Deno.test("walks: searchInParallel() runs as many schedules as it is told to", async () => {
  const { found, schedules } = await searchInParallel({ seed: 7, schedules: 25_000 }, {
    threads: 2,
  });
  assert.equal(found, undefined);
  assert.equal(schedules, 25_000);
});
