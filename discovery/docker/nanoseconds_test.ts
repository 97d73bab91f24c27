// nanoseconds(): exact, and in the right order.
import assert from "node:assert/strict";
import { nanoseconds } from "./nanoseconds.ts";

Deno.test("nanoseconds() reads Docker's times exactly", () => {
  assert.equal(nanoseconds("2026-11-23T04:12:33.191054495Z"), 1795407153191054495n);
  assert.equal(nanoseconds("2026-11-23T04:12:33Z"), 1795407153000000000n);
  assert.equal(nanoseconds("2026-11-23T05:12:33.5+01:00"), 1795407153500000000n);
});

Deno.test("nanoseconds() orders times with fractions of different length, which text does not", () => {
  const [early, late] = ["2026-11-23T04:12:33.1Z", "2026-11-23T04:12:33.12Z"];
  assert.ok(early > late);
  assert.ok(nanoseconds(early) < nanoseconds(late));
});

Deno.test("nanoseconds() is 0 for what is no time", () => {
  for (const text of ["", "now", "2026-11-23", "2026-13-45T99:99:99Z", "0x10"]) {
    assert.equal(nanoseconds(text), 0n, text);
  }
});
