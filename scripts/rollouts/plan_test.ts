import assert from "node:assert/strict";
import { describe, isDone, type Plan, planOf } from "./plan.ts";
import type { Replica } from "./project.ts";

const replica = (id: string, current: boolean, status = "running"): Replica => ({
  ...{ id, name: `shop-web-${id}`, status, exitCode: 0, current },
  addresses: [],
});
const olds = ["1", "2", "3"].map((id) => replica(id, false));
const news = ["4", "5", "6"].map((id) => replica(id, true));
const none = { force: false };
const ids = ({ retire, keep, discard, start, instances }: Plan) => ({
  retire: retire.map(({ id }) => id).join(""),
  keep: keep.map(({ id }) => id).join(""),
  discard: discard.map(({ id }) => id).join(""),
  ...{ start, instances },
});

Deno.test("planOf() replaces as many as there are", () => {
  const plan = planOf(olds, none, 1);
  assert.deepEqual(ids(plan), { retire: "123", keep: "", discard: "", start: 3, instances: 3 });
  assert.match(describe(plan).join("\n"), /^Start 3 new beside 3\n.*\nDrain, .* shop-web-1, /);
});

Deno.test("planOf() has nothing to do where all are up to date, unless it is forced", () => {
  assert.ok(isDone(planOf(news, none, 1)));
  const plan = planOf(news, { force: true }, 1);
  assert.deepEqual(ids(plan), { retire: "456", keep: "", discard: "", start: 3, instances: 3 });
});

Deno.test("planOf() starts what the compose files ask for where nothing runs, and discards what ended", () => {
  const plan = planOf([replica("1", false, "exited"), replica("2", true, "exited")], none, 2);
  assert.deepEqual(ids(plan), { retire: "", keep: "", discard: "12", start: 2, instances: 2 });
});

Deno.test("planOf() keeps a mixed service at its size", () => {
  const plan = planOf([...olds, ...news.slice(0, 2)], none, 1);
  assert.deepEqual(ids(plan), { retire: "123", keep: "45", discard: "", start: 3, instances: 5 });
});

Deno.test("planOf() finishes an earlier rollout: the journal knows the size and who was old", () => {
  const journal = { old: ["1", "2", "3"], instances: 3 };
  const starting = planOf([...olds, ...news.slice(0, 1)], none, 1, journal);
  assert.deepEqual(ids(starting), {
    ...{ retire: "123", keep: "4", discard: "", start: 2, instances: 3 },
  });
  const stopping = planOf([olds[2]!, ...news], none, 1, journal);
  assert.deepEqual(ids(stopping), {
    ...{ retire: "3", keep: "456", discard: "", start: 0, instances: 3 },
  });
  // A forced one: by image and configuration they are all alike.
  const alike = ["1", "2", "3"].map((id) => replica(id, true));
  const forced = planOf([...alike, ...news], { force: true }, 1, journal);
  assert.deepEqual(ids(forced), {
    ...{ retire: "123", keep: "456", discard: "", start: 0, instances: 3 },
  });
});

Deno.test("planOf() has something to do while old ones that were stopped are still there", () => {
  const stopped = replica("1", false, "exited");
  const journal = { old: ["1"], instances: 3 };
  assert.ok(!isDone(planOf([stopped, ...news], none, 1, journal)));
  assert.ok(isDone(planOf([stopped, ...news], none, 1)), "somebody else's are left alone");
});

Deno.test("planOf() retires what an earlier rollout started and the compose files no longer want", () => {
  const journal = { old: ["1"], instances: 1 };
  const plan = planOf([olds[0]!, replica("2", false)], none, 1, journal);
  assert.deepEqual(ids(plan), { retire: "12", keep: "", discard: "", start: 1, instances: 1 });
});

Deno.test("planOf() scales, down by retiring", () => {
  assert.deepEqual(ids(planOf(olds, { force: false, scale: 5 }, 1)), {
    ...{ retire: "123", keep: "", discard: "", start: 5, instances: 5 },
  });
  assert.deepEqual(ids(planOf(news, { force: false, scale: 1 }, 1)), {
    ...{ retire: "56", keep: "4", discard: "", start: 0, instances: 1 },
  });
});
