import assert from "node:assert/strict";
import { recordingOf } from "../../bench/measure/fake_recording.ts";
import { inWords, lostIn, type Span } from "./span.ts";

const span = (more: Partial<Span>): Span => ({
  ...{ what: "a fault", from: 10_000, over: 12_000, may: undefined, ends: [] },
  ...more,
});
const failing = (at: number, post = false, ended = at + 1, ending: Ending = "reset") => ({
  ...{ intended: at, ended, ending, post },
});
type Ending = "reset" | "cut" | "timeout";

/** What accounts for each failed request. */
const because = (requests: readonly ReturnType<typeof failing>[], spans: readonly Span[]) =>
  lostIn(recordingOf([...requests]), spans, 1).map(({ because }) => because);

Deno.test("lostIn() leaves out what was answered", () => {
  assert.deepEqual(lostIn(recordingOf([{ ended: 5 }]), [], 1), []);
});

Deno.test("lostIn() accounts for everything that overlaps an outage, and for nothing else", () => {
  const outage = span({ may: { outage: { after: 1 }, because: "nobody listens" } });
  assert.deepEqual(
    because([failing(9_000), failing(9_000, false, 10_500), failing(11_000)], [outage]),
    [undefined, "a fault", "a fault"],
  );
  assert.deepEqual(because([failing(12_900), failing(13_100)], [outage]), ["a fault", undefined]);
});

Deno.test("lostIn() accounts for what was under way when an instance ended, and for nothing later", () => {
  const ends = [{ from: 15_000, to: 15_000 }];
  const kill = span({ may: { inHand: "instance", because: "taken along" }, ends });
  const posts = [14_500, 15_900].map((at) => failing(at, true));
  assert.deepEqual(
    because(posts, [kill]),
    ["a fault", "a fault"],
    "as well as the moment is known",
  );
  const others = [10_500, 13_900, 16_100].map((at) => failing(at, true));
  assert.deepEqual(because(others, [kill]), [undefined, undefined, undefined], "while it lasted");
  assert.deepEqual(because([failing(14_000, true, 40_000)], [kill]), ["a fault"], "it waited on");
  assert.deepEqual(because(posts, [span({ ends })]), [undefined, undefined], "it may cost nothing");
});

Deno.test("lostIn() accounts for a GET in an instance's hands only when its answer had begun", () => {
  const ends = [{ from: 15_000, to: 15_000 }];
  const kill = span({ may: { inHand: "instance", because: "taken along" }, ends });
  const worker = span({ may: { inHand: "edge", because: "taken along" }, ends });
  const gets = [failing(15_000), failing(15_000, false, 15_001, "cut")];
  assert.deepEqual(because(gets, [kill]), [undefined, "a fault"]);
  assert.deepEqual(because(gets, [worker]), ["a fault", "a fault"]);
});

Deno.test("lostIn() accounts for so many that waited while a fault lasted", () => {
  const cut = span({ may: { hung: 2, because: "no answer can come" } });
  const waited = [10_500, 11_000, 11_500].map((at) => failing(at, false, at + 20_000, "timeout"));
  assert.deepEqual(because(waited, [cut]), ["a fault", "a fault", undefined]);
  assert.deepEqual(because([failing(11_000)], [cut]), [undefined], "it did not wait");
  const later = failing(13_000, false, 43_000, "timeout");
  assert.deepEqual(because([later], [cut]), [undefined], "sent when it was over");
});

Deno.test("lostIn() takes an outage for the cause where an instance ended, too", () => {
  const ends = [{ from: 11_000, to: 11_000 }];
  const kill = span({ what: "kill", may: { inHand: "instance", because: "taken along" }, ends });
  const outage = span({ what: "outage", may: { outage: { after: 0 }, because: "away" } });
  assert.deepEqual(because([failing(11_000, true)], [kill, outage]), ["outage"]);
});

Deno.test("lostIn() takes another fault when one has no more to give", () => {
  const [one, two] = ["one", "two"].map((what) => span({ what, may: { hung: 1, because: "x" } }));
  const waited = [10_500, 11_000].map((at) => failing(at, true, at + 20_000, "timeout"));
  assert.deepEqual(because(waited, [one!, two!]), ["one", "two"]);
});

Deno.test("inWords() counts like ones", () => {
  const lost = lostIn(recordingOf([failing(1), failing(2), failing(3, true)]), [], 1);
  assert.equal(inWords(lost), "2 GET reset kept, 1 POST reset kept");
});
