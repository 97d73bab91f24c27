import assert from "node:assert/strict";
import type { Episode, Schedule, Step } from "../schedule.ts";
import { shrink } from "./shrink.ts";

const step = (kind: string): Step => ({ what: "fault", at: 0, kind, lasts: 0, who: 0 });
const episode = (number: number, ...kinds: string[]): Episode => ({
  ...{ number, instances: 3 },
  steps: kinds.map(step),
});
const schedule: Schedule = {
  ...{ seed: 1, minutes: 1 },
  episodes: [episode(1, "a"), episode(2, "b", "c"), episode(3, "d"), episode(4, "e", "f", "g")],
};
const kindsIn = ({ episodes }: Schedule) =>
  episodes.flatMap(({ steps }) => steps.map((step) => step.what === "fault" ? step.kind : ""));

/** Shows it when all of these are there. */
async function shrunk(...needed: string[]) {
  const tries: string[] = [];
  const result = await shrink(schedule, 4, {
    shows: (schedule) => {
      const kinds = kindsIn(schedule);
      tries.push(kinds.join());
      return Promise.resolve(needed.every((kind) => kinds.includes(kind)));
    },
    note: () => {},
    over: () => tries.length > 50,
  });
  return { kinds: result && kindsIn(result), tries };
}

Deno.test("shrink() finds the only step that matters, in the episode alone", async () => {
  const { kinds, tries } = await shrunk("f");
  assert.deepEqual(kinds, ["f"]);
  assert.ok(tries.length <= 4, String(tries));
});

Deno.test("shrink() goes back to the episodes before when one alone does not show it", async () => {
  assert.deepEqual((await shrunk("b", "g")).kinds, ["b", "g"]);
});

Deno.test("shrink() says so when it is not seen again", async () => {
  assert.equal((await shrunk("nothing")).kinds, undefined);
});

Deno.test("shrink() ends when time is over, with what it has", async () => {
  let tries = 0;
  const result = await shrink(schedule, 4, {
    shows: () => Promise.resolve(++tries > 0),
    note: () => {},
    over: () => tries >= 1,
  });
  assert.equal(tries, 1);
  assert.deepEqual(result && kindsIn(result), ["e", "f", "g"]);
});
