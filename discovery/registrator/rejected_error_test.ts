// Text from outside, on its way to people.
import assert from "node:assert/strict";
import { isYes, listed, reject, RejectedError, shown } from "./rejected_error.ts";

Deno.test("shown() cuts, and takes out what a terminal obeys or shows in another order", () => {
  assert.equal(shown("plain ä 漢"), "plain ä 漢");
  assert.equal(shown("a\nb\u0000c\u001b[31m\u202Ed\u2028e\u200Ff"), "a?b?c?[31m?d?e?f");
  assert.equal(shown("x".repeat(61)), `${"x".repeat(60)}…`);
  assert.equal(shown(`${"x".repeat(59)}😀`), `${"x".repeat(59)}?…`); // half a character is none
});

Deno.test("reject() names the setting and the problem", () => {
  assert.throws(() => reject("weight", "is too large"), {
    name: "RejectedError",
    message: "SERVICE_WEIGHT is too large.",
  });
  assert.throws(
    () => reject("a\nb", "is odd"),
    (error) => error instanceof RejectedError && error.message === "SERVICE_A?B is odd.",
  );
});

Deno.test("listed() is a sentence's list", () => {
  assert.equal(listed([]), "none");
  assert.equal(listed(["a", "b\n"]), "a, b?");
});

Deno.test("isYes() takes false for no, which registrator does not", () => {
  for (const text of ["true", "1", "yes", "anything", " TRUE "]) assert.ok(isYes(text), text);
  for (const text of [undefined, "", "0", "false", "no", "OFF", " False "]) assert.ok(!isYes(text));
});
