import assert from "node:assert/strict";
import { recordingOf } from "./fake_recording.ts";
import { paceOf } from "./pace.ts";

const onTime = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ intended: i, begun: i + 1, ended: i + 5 }));

Deno.test("paceOf() finds nothing wrong with a generator that was on time", () => {
  const pace = paceOf(recordingOf(onTime(1000)));
  assert.equal(pace.achievedRate, 1000);
  assert.equal(pace.lateness?.max, 1);
  assert.equal(pace.invalid, undefined);
});

Deno.test("paceOf() does not trust a load with one very late request", () => {
  const entries = onTime(1000);
  entries[500] = { intended: 500, begun: 800, ended: 801 };
  assert.match(paceOf(recordingOf(entries)).invalid!, /max 300 ms/);
});

Deno.test("paceOf() does not trust a load with many rather late requests", () => {
  const entries = onTime(1000).map((entry, i) =>
    i % 20 === 0 ? { ...entry, begun: i + 120 } : entry
  );
  assert.match(paceOf(recordingOf(entries)).invalid!, /p99 120 ms/);
});

Deno.test("paceOf() does not trust an empty load", () => {
  assert.equal(paceOf(recordingOf([])).invalid, "nothing was sent");
});
