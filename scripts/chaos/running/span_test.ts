import assert from "node:assert/strict";
import { recordingOf } from "../../bench/measure/fake_recording.ts";
import { inWords, lostIn, type Span } from "./span.ts";

const NEVER = 1e9;
const span = (more: Partial<Span>): Span => ({
  ...{ what: "a fault", from: 10_000, over: 12_000, may: undefined },
  ...more,
});
const failing = (at: number, post = false, ended = at + 1) =>
  ({ intended: at, ended, ending: "reset", post }) as const;

/** What accounts for each failed request. */
const because = (requests: readonly ReturnType<typeof failing>[], spans: readonly Span[]) =>
  lostIn(recordingOf([...requests]), spans, 20_000, 1).map(({ because }) => because);

Deno.test("lostIn() leaves out what was answered", () => {
  assert.deepEqual(lostIn(recordingOf([{ ended: 5 }]), [], NEVER, 1), []);
});

Deno.test("lostIn() accounts for everything that overlaps an outage, and for nothing else", () => {
  const outage = span({ may: { outage: { after: 1 }, because: "nobody listens" } });
  assert.deepEqual(
    because([failing(9_000), failing(9_000, false, 10_500), failing(11_000)], [outage]),
    [undefined, "a fault", "a fault"],
  );
  assert.deepEqual(because([failing(12_900), failing(13_100)], [outage]), ["a fault", undefined]);
});

Deno.test("lostIn() accounts for as many as a fault may cost, by method, until all is right", () => {
  const kill = span({ may: { posts: 2, because: "in hand" } });
  const posts = [10_500, 11_000, 11_500].map((at) => failing(at, true));
  assert.deepEqual(because(posts, [kill]), ["a fault", "a fault", undefined]);
  assert.deepEqual(because([failing(10_500)], [kill]), [undefined], "no GET");
  assert.deepEqual(because([failing(19_000, true)], [kill]), ["a fault"]);
  assert.deepEqual(because([failing(21_000, true)], [kill]), [undefined], "all was right");
  assert.deepEqual(because([failing(9_000, true)], [kill]), [undefined], "before it");
});

Deno.test("lostIn() takes what may be lost from the next fault when one has no more to give", () => {
  const [one, two] = ["one", "two"].map((what) => span({ what, may: { posts: 1, because: "x" } }));
  const posts = [10_500, 11_000].map((at) => failing(at, true));
  assert.deepEqual(because(posts, [one!, two!]), ["one", "two"]);
});

Deno.test("inWords() counts like ones", () => {
  const lost = lostIn(recordingOf([failing(1), failing(2), failing(3, true)]), [], NEVER, 1);
  assert.equal(inWords(lost), "2 GET reset kept, 1 POST reset kept");
});
