import assert from "node:assert/strict";
import fc from "fast-check";
import { kindNamed, KINDS } from "./faults/kinds.ts";
import { DENSE, endsWith, EPISODE_MS, MOST_INSTANCES, schedule, scheduleFile } from "./schedule.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const minutes = fc.integer({ min: 1, max: 60 });

Deno.test("schedule() draws the same from the same seed, and survives being a file", () => {
  fc.assert(fc.property(seeds, minutes, (seed, minutes) => {
    const one = schedule(seed, minutes, KINDS);
    assert.deepEqual(schedule(seed, minutes, KINDS), one);
    assert.deepEqual(scheduleFile.parse(JSON.parse(JSON.stringify(one))), one);
  }));
});

Deno.test("schedule() draws something else from another seed", () => {
  assert.notDeepEqual(schedule(1, 3, KINDS), schedule(2, 3, KINDS));
});

Deno.test("schedule() is bounded: number, times, instances", () => {
  fc.assert(fc.property(seeds, minutes, (seed, minutes) => {
    const { episodes } = schedule(seed, minutes, KINDS);
    assert.equal(episodes.length, minutes * 6);
    for (const { steps, instances } of episodes) {
      assert.ok(instances >= 1 && instances <= MOST_INSTANCES);
      assert.ok(steps.length >= 1 && steps.length <= 6);
      assert.deepEqual(steps.map(({ at }) => at), steps.map(({ at }) => at).sort((a, b) => a - b));
      for (const step of steps) {
        assert.ok(step.at >= 0 && step.at + (step.what === "fault" ? step.lasts : 0) <= EPISODE_MS);
        if (step.what === "scale") assert.ok(step.to >= 1 && step.to <= MOST_INSTANCES);
      }
    }
  }));
});

Deno.test("schedule() brings every kind before one comes up twice", () => {
  fc.assert(fc.property(seeds, (seed) => {
    const drawn = schedule(seed, 60, KINDS).episodes.flatMap(({ steps }) =>
      steps.flatMap((step) => step.what === "fault" ? [step.kind] : [])
    );
    assert.deepEqual(new Set(drawn.slice(0, KINDS.length)).size, KINDS.length);
  }));
});

Deno.test("schedule() never leaves clients without an instance that nginx knows", () => {
  fc.assert(fc.property(seeds, (seed) => {
    for (const { steps, instances } of schedule(seed, 20, KINDS).episodes) {
      const kinds = steps.flatMap((step) => step.what === "fault" ? [kindNamed(step.kind)] : []);
      const harmed = kinds.reduce((sum, { harms = 0 }) => sum + harms, 0);
      let known = instances, now = instances;
      for (const step of steps) {
        if (step.what !== "scale") continue;
        // Who goes may be one that nginx knows.
        if (step.to < now) known -= now - step.to;
        now = step.to;
        if (!kinds.some(({ blinds }) => blinds)) known = now;
        assert.ok(known - harmed >= 1, JSON.stringify(steps));
      }
      assert.ok(known - harmed >= 1);
    }
  }));
});

Deno.test("schedule() that is dense brings three faults at once, and short ones", () => {
  fc.assert(fc.property(seeds, (seed) => {
    for (const { steps } of schedule(seed, 3, KINDS, DENSE).episodes.slice(0, 10)) {
      const faults = steps.flatMap((step) => step.what === "fault" ? [step] : []);
      assert.equal(faults.length, 3);
      for (const { kind, lasts } of faults) {
        assert.ok(lasts <= 1000 * Math.max(DENSE.longest, kindNamed(kind).lasts[0]), kind);
      }
    }
  }));
});

Deno.test("schedule() begins each episode with a change: what is deaf after the one before it shows", () => {
  fc.assert(fc.property(seeds, (seed) => {
    const { episodes } = schedule(seed, 20, KINDS);
    for (const [i, { instances }] of episodes.entries()) {
      if (i > 0) assert.notEqual(instances, endsWith(episodes[i - 1]!));
    }
  }));
});

Deno.test("schedule() never brings two faults of one part together", () => {
  fc.assert(fc.property(seeds, (seed) => {
    for (const { steps } of schedule(seed, 20, KINDS).episodes) {
      const parts = steps.flatMap((step) =>
        step.what === "fault" ? kindNamed(step.kind).parts : []
      );
      assert.equal(new Set(parts).size, parts.length);
    }
  }));
});

Deno.test("every kind of fault has a name of its own and says why it may cost requests", () => {
  assert.equal(new Set(KINDS.map(({ name }) => name)).size, KINDS.length);
  for (const { name, may, heals } of KINDS) {
    assert.ok(heals > 0, name);
    if (may?.outage || may?.inHand || may?.hung) assert.ok(may.because.length > 10, name);
  }
});
