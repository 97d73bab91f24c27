import assert from "node:assert/strict";
import { NOBODY, Recorder } from "./recording.ts";

const get = { post: false, fresh: false };

Deno.test("Recorder refuses to end a request twice, or one that has not begun", () => {
  const recorder = new Recorder(0, 1, 2);
  recorder.begin(0, get, 0, 0);
  recorder.end(0, { ending: "answered" }, 1);
  assert.throws(() => recorder.end(0, { ending: "cut" }, 2), /has ended already/);
  assert.throws(() => recorder.end(1, { ending: "cut" }, 2), /has not begun/);
});

Deno.test("Recorder refuses to leave one out", () => {
  assert.throws(() => new Recorder(0, 1, 2).begin(1, get, 0, 0), /0 is next/);
});

Deno.test("Recorder refuses to finish while requests are pending", () => {
  const recorder = new Recorder(0, 1, 1);
  recorder.begin(0, get, 0, 0);
  assert.throws(() => recorder.finish(), /1 requests are pending/);
});

Deno.test("Recorder tells of an instance once, and cuts what was not used", () => {
  const recorder = new Recorder(5, 1, 10);
  for (const index of [0, 1, 2]) recorder.begin(index, get, index, index);
  assert.equal(recorder.end(1, { ending: "answered", instance: "a" }, 3), true);
  assert.equal(recorder.end(0, { ending: "answered", instance: "a" }, 3), false);
  recorder.end(2, { ending: "refused" }, 3);
  const recording = recorder.finish();
  assert.equal(recording.ending.length, 3);
  assert.deepEqual([...recording.instance], [0, 0, NOBODY]);
  assert.deepEqual(recording.instances, ["a"]);
});
