// registrator's lists of tags.
import assert from "node:assert/strict";
import { tagsIn } from "./tags_in.ts";

Deno.test("tagsIn() splits at commas, keeps the order, and leaves out empty tags", () => {
  assert.deepEqual(tagsIn("a, b,,c,"), ["a", "b", "c"]);
  assert.deepEqual(tagsIn(""), []);
  assert.deepEqual(tagsIn(",,"), []);
});

Deno.test("tagsIn() takes an escaped comma for a comma in the tag", () => {
  assert.deepEqual(tagsIn("/(;\\,:-_)/"), ["/(;,:-_)/"]);
  assert.deepEqual(tagsIn("a\\,b,c"), ["a,b", "c"]);
});
