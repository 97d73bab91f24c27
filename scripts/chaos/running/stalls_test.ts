import assert from "node:assert/strict";
import { recordingOf } from "../../bench/measure/fake_recording.ts";
import { stallsOf, tooBusy } from "./stalls.ts";

const request = (intended: number, begun: number) => ({ intended, begun, ended: begun + 5 });
const spans = (...requests: ReturnType<typeof request>[]) =>
  stallsOf(recordingOf(requests)).map(({ from, over }) => [from, over]);

Deno.test("stallsOf() tells when requests were due and were not sent", () => {
  const stalled = [request(100, 3_000), request(1_000, 3_001), request(2_900, 3_002)];
  assert.deepEqual(spans(request(0, 1), ...stalled, request(3_100, 3_101)), [[100, 3_001]]);
});

Deno.test("stallsOf() keeps two of them apart, and overlooks what is short", () => {
  assert.deepEqual(spans(request(0, 900)), []);
  assert.deepEqual(spans(request(0, 2_000), request(5_000, 7_000)), [[0, 2_000], [5_000, 7_000]]);
});

Deno.test("tooBusy() complains when the load stood still for most of a run", () => {
  const episode = (stood: number) => ({ stood, from: 0, to: 20_000 });
  assert.deepEqual(tooBusy([episode(0), episode(19)]), []);
  assert.match(tooBusy([episode(5), episode(20)]).join(), /25 of 40 s/);
  assert.deepEqual(tooBusy([]), []);
});
