// Inspections: one question at a time about each container, a few at all.
import assert from "node:assert/strict";
import { settle } from "../fake_clock.ts";
import { Inspections } from "./inspections.ts";

/** Questions that are open, to be answered by the test. */
function scene(atOnce = 2) {
  const open: Array<{ id: string; answer: (answered: boolean) => void }> = [];
  const inspections = new Inspections({
    inspect: (id) => new Promise((answer) => open.push({ id, answer })),
    atOnce,
  });
  const ids = () => open.map(({ id }) => id);
  const answer = async (id: string, answered = true) => {
    const [question] = open.splice(ids().indexOf(id), 1);
    question!.answer(answered);
    await settle();
  };
  return { inspections, ids, answer };
}

Deno.test("Inspections asks a few at the same time, the others as answers come, in order", async () => {
  const { inspections, ids, answer } = scene();
  const all = inspections.of(["a", "b", "c", "d"]);
  assert.deepEqual(ids(), ["a", "b"]);
  await answer("b");
  assert.deepEqual(ids(), ["a", "c"]);
  await answer("a");
  await answer("c");
  await answer("d");
  assert.equal(await all, true);
  assert.deepEqual(ids(), []);
});

Deno.test("Inspections never asks twice at once about the same container, and asks again after the answer", async () => {
  const { inspections, ids, answer } = scene();
  const first = inspections.of(["a"]);
  assert.ok(inspections.underWay("a"));
  const second = inspections.of(["a", "a"]);
  const third = inspections.of(["a", "b"]);
  assert.deepEqual(ids(), ["a", "b"]); // one that waits for its own answer holds up no other
  await answer("a");
  assert.equal(await first, true);
  assert.deepEqual(ids(), ["b", "a"]); // asked once more for both who wanted it
  await answer("a");
  await answer("b");
  assert.deepEqual([await second, await third], [true, true]);
  assert.equal(inspections.underWay("a"), false);
});

Deno.test("Inspections asks about urgent ones at once, whatever is waiting, and still not about all at the same time", async () => {
  const { inspections, ids, answer } = scene();
  inspections.of(["a", "b", "c", "d", "e"]);
  const urgent = inspections.of(["e", "f", "g"], { urgent: true });
  assert.deepEqual(ids(), ["a", "b", "e", "f"]);
  await answer("a");
  assert.deepEqual(ids(), ["b", "e", "f", "g"]);
  for (const id of ["e", "f", "g"]) await answer(id);
  assert.equal(await urgent, true);
  assert.deepEqual(ids(), ["b", "c"]);
});

Deno.test("Inspections tells when Docker did not answer for each", async () => {
  const { inspections, answer } = scene();
  const all = inspections.of(["a", "b"]);
  await answer("a", false);
  await answer("b");
  assert.equal(await all, false);
});

Deno.test("Inspections of nothing are done", async () => {
  assert.equal(await scene().inspections.of([]), true);
});
