// within(): whichever comes first ends the call, and nothing is left behind.
import assert from "node:assert/strict";
import { within } from "./deadline.ts";

const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("?"))));

Deno.test("within() returns what the work returns, and leaves no timer", async () => {
  assert.equal(await within(1e6, undefined, () => Promise.resolve(7)), 7);
});

Deno.test("within() passes on what the work throws", async () => {
  await assert.rejects(
    within(1e6, undefined, () => Promise.reject(new Error("own"))),
    /^Error: own/,
  );
});

Deno.test("within() fires the work's signal after its time and says so", async () => {
  await assert.rejects(within(5, undefined, never), {
    name: "TimeoutError",
    message: "no answer within 5 ms",
  });
});

Deno.test("within() ends with the outer signal's reason", async () => {
  const stop = new AbortController();
  const work = within(1e6, stop.signal, never);
  stop.abort(new Error("enough"));
  await assert.rejects(work, /enough/);
});

Deno.test("within() does not begin when the outer signal has fired already", async () => {
  await assert.rejects(
    within(1e6, AbortSignal.abort(new Error("before")), () => {
      throw new Error("the work began");
    }),
    /before/,
  );
});
