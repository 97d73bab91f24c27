import assert from "node:assert/strict";
import { recordingOf } from "../../bench/measure/fake_recording.ts";
import { lateRequests, type Leaving } from "./late.ts";

const id = "0123456789abcdef";
const leaving: Leaving = { id, name: "test-service-1", at: 1_000, until: 5_000 };
const answer = (intended: number, fresh = true, instance = id.slice(0, 12)) => ({
  ...{ intended, ended: intended + 5, instance, fresh },
});

Deno.test("lateRequests() tells who was sent requests for too long after a stop signal", () => {
  const recording = recordingOf([500, 1_500, 2_500, 4_000].map((at) => answer(at)));
  assert.deepEqual(lateRequests(recording, [leaving], 1_000), [
    { name: "test-service-1", count: 2, last: 3_000 },
  ]);
  assert.deepEqual(lateRequests(recording, [leaving], 3_500), []);
});

Deno.test("lateRequests() leaves out other instances, kept connections and its next life", () => {
  const others = [answer(4_000, true, "fedcba987654"), answer(4_000, false), answer(6_000)];
  assert.deepEqual(lateRequests(recordingOf(others), [leaving], 1_000), []);
});
