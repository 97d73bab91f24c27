// The simulation finds what is planted, and nothing where nothing is planted.
import assert from "node:assert/strict";
import { type BugName, BUGS } from "./bugs.ts";
import { drawSchedule, type Step } from "./schedule.ts";
import { search, shrink, simulate } from "./search.ts";

/** More of them find more: SCHEDULES=100000 deno test … */
const SCHEDULES = Number(Deno.env.get("SCHEDULES") ?? 2_000);
/** Within how many schedules each bug must be found: several times what it took when this was written. */
const WITHIN: Readonly<Record<BugName, number>> = {
  "list-brings-back": 1_000,
  "absence-believed": 300,
  "last-change-lost": 300,
  "vouches-early": 20_000,
  "pause-ignored": 100,
  "others-deleted": 100,
  "lease-left": 200,
};

Deno.test(`search() finds no violation in ${SCHEDULES} schedules`, async () => {
  const { found } = await search({ seed: 1, schedules: SCHEDULES });
  if (found) assert.fail(JSON.stringify(await shrink(found)));
});

for (const bug of Object.keys(BUGS) as BugName[]) {
  Deno.test(`search() finds a planted bug: ${BUGS[bug].what}`, async () => {
    const { found } = await search({ seed: 1, schedules: WITHIN[bug], bug });
    assert.ok(found, `not found in ${WITHIN[bug]} schedules`);
    const short = await shrink(found, bug);
    assert.ok(short.schedule.steps.length <= found.schedule.steps.length);
    const again = await simulate(short.schedule, { bug });
    assert.equal(again.violation, short.violation, "the short schedule shows it, each time");
    const healthy = await simulate(short.schedule);
    assert.equal(healthy.violation, undefined, "without the bug it shows nothing");
  });
}

Deno.test("simulate() tells the same story for the same schedule", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const stories = [];
    for (let i = 0; i < 2; i++) stories.push(await simulate(drawSchedule(seed), { tell: true }));
    assert.deepEqual(stories[0], stories[1]);
  }
});

// What the simulation has found, as the shortest schedules that showed it.
const FINDS: Readonly<Record<string, readonly Step[]>> = {
  "who dies while the event stream is being opened anew does not stay in rotation": [
    { at: 458, what: "streamCut", who: 0, n: 0 },
    { at: 462, what: "crash", who: 2, n: 0 },
  ],
  "who starts while Docker answers nothing but events is not left waiting for a resync": [
    { at: 0, what: "dockerAway", who: 0, n: 4_000 },
    { at: 100, what: "restart", who: 1, n: 51 },
  ],
  "what apply had ordered when it was killed does not stay, where its successor finds it overtaken":
    [
      { at: 8_000, what: "drain", who: 0, n: 0 },
      { at: 8_030, what: "undrain", who: 0, n: 0 },
      { at: 8_050, what: "applyKill", who: 0, n: 0 },
    ],
  "who turned healthy unheard, and was paused then, is back as soon as it goes on": [
    { at: 0, what: "crash", who: 1, n: 0 },
    { at: 5_700, what: "start", who: 1, n: 9_870 },
    { at: 5_700, what: "eventsLost", who: 0, n: 4_598 },
    { at: 9_400, what: "pause", who: 1, n: 0 },
    { at: 45_000, what: "unpause", who: 1, n: 0 },
  ],
  "who started unheard, and was sent a signal that means nothing, is not taken for leaving": [
    { at: 0, what: "crash", who: 0, n: 0 },
    { at: 2_400, what: "eventsLost", who: 0, n: 100 },
    { at: 2_410, what: "start", who: 0, n: 819 },
    { at: 20_000, what: "hangup", who: 0, n: 0 },
  ],
  "what etcd loses while a registrator reads it is not vouched for": [
    { at: 0, what: "registratorKill", who: 0, n: 1 },
    { at: 8, what: "purge", who: 0, n: 0 },
  ],
};

for (const [what, steps] of Object.entries(FINDS)) {
  Deno.test(`simulate(): ${what}`, async () => {
    for (let seed = 0; seed < 200; seed++) {
      const { violation } = await simulate({ seed, steps });
      assert.equal(violation, undefined, `seed ${seed}`);
    }
  });
}
