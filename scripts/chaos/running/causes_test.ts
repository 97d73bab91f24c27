import assert from "node:assert/strict";
import { TAKEN_ALONG } from "../faults/kind.ts";
import type { Happened } from "../looking/engine_view.ts";
import { type Active, type Causes, isBlind, leavingIn, spansOf } from "./causes.ts";

const fault = (more: Partial<Active["kind"]> = {}): Active => ({
  kind: { name: "a fault", ...more },
  ...{ from: 1_000, acted: 1_500, over: 3_000 },
});
const event = (what: string, at: number, id = "one", signal?: number): Happened => ({
  ...{ what, at, id, name: `test-${id}`, signal },
});
/** When each of them ended somebody who had requests in hand. */
const ends = (causes: Partial<Causes>) =>
  spansOf({
    ...{ active: [], changes: [], events: [event("die", 2_000)], abrupt: new Set<string>() },
    struck: () => ["test-one"],
    ...causes,
  }).map(({ what, ends }) => [what, ...ends.map(({ from }) => from)]);
const change = { what: "scale to 1", from: 1_500, over: 2_500, gone: new Set(["one"]) };

Deno.test("spansOf() knows that who is killed has requests in hand, but not who drains in sight", () => {
  assert.deepEqual(ends({ active: [fault({ may: TAKEN_ALONG })] }), [["a fault", 2_000]]);
  assert.deepEqual(ends({ active: [fault()] }), [["a fault"]]);
  assert.deepEqual(ends({ changes: [change] }), [["scale to 1"]]);
});

Deno.test("spansOf() knows that who exits at once, or leaves unseen, has requests in hand", () => {
  const abrupt = new Set(["one"]);
  assert.deepEqual(ends({ changes: [change], abrupt }), [["scale to 1", 2_000]]);
  const blind = fault({ blinds: true });
  const struck = () => [];
  assert.deepEqual(ends({ active: [blind], changes: [change], struck }), [
    ["a fault"],
    ["scale to 1", 2_000],
  ]);
});

Deno.test("spansOf() leaves out who was not struck, and who ended before it", () => {
  const active = [fault({ may: TAKEN_ALONG })];
  assert.deepEqual(ends({ active, struck: () => ["test-two"] }), [["a fault"]]);
  assert.deepEqual(ends({ active, events: [event("die", 900)] }), [["a fault"]]);
});

Deno.test("spansOf() takes the time in which a worker of nginx was killed for its end", () => {
  const may = { inHand: "edge", because: "its connections are cut" } as const;
  const [span] = spansOf({
    ...{ active: [fault({ may })], changes: [], events: [], abrupt: new Set() },
    struck: () => [],
  });
  assert.deepEqual(span!.ends, [{ from: 1_000, to: 1_500 }]);
});

Deno.test("isBlind() holds on from the fault until the episode is over", () => {
  const active = [fault({ blinds: true })];
  assert.deepEqual([900, 1_000, 9_000].map((at) => isBlind(active, at)), [false, true, true]);
  assert.equal(isBlind([fault()], 2_000), false);
});

Deno.test("leavingIn() has those whose stop signal could be seen in time, until they end", () => {
  const events = [
    event("kill", 100, "one", 15),
    event("kill", 200, "two", 9),
    event("die", 400),
    event("kill", 800, "three", 15),
  ];
  const of = (active: readonly Active[]) =>
    leavingIn({ active, events }, 500).map(({ name, at, until }) => [name, at, until]);
  assert.deepEqual(of([]), [["test-one", 100, 400], ["test-three", 800, Infinity]]);
  assert.deepEqual(of([fault({ blinds: true })]), [["test-one", 100, 400]]);
});
