// within(): whichever comes first ends the call, and nothing is left behind.
import assert from "node:assert/strict";
import { within } from "./deadline.ts";

/** No timer, connection or stream may be left behind. */
const STRICT = { sanitizeOps: true, sanitizeResources: true };

const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("?"))));

Deno.test("within() returns what the work returns, and leaves no timer", STRICT, async () => {
  assert.equal(await within(1e6, undefined, () => Promise.resolve(7)), 7);
});

Deno.test("within() passes on what the work throws", STRICT, async () => {
  await assert.rejects(
    within(1e6, undefined, () => Promise.reject(new Error("own"))),
    /^Error: own/,
  );
});

Deno.test("within() fires the work's signal after its time and says so", STRICT, async () => {
  await assert.rejects(within(5, undefined, never), {
    name: "TimeoutError",
    message: "no answer within 5 ms",
  });
});

Deno.test("within() ends with the outer signal's reason", STRICT, async () => {
  const stop = new AbortController();
  const work = within(1e6, stop.signal, never);
  stop.abort(new Error("enough"));
  await assert.rejects(work, /enough/);
});

Deno.test("within() does not begin when the outer signal has fired already", STRICT, async () => {
  await assert.rejects(
    within(1e6, AbortSignal.abort(new Error("before")), () => {
      throw new Error("the work began");
    }),
    /before/,
  );
});

Deno.test("within() takes its listener off a signal that lives longer", async () => {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as typeof add;
  signal.addEventListener = (...args: unknown[]) => (listeners.add(args[1]), add(...args));
  signal.removeEventListener = (...args: unknown[]) => (listeners.delete(args[1]), remove(...args));
  for (let i = 0; i < 10; i++) await within(1e6, signal, () => Promise.resolve());
  await within(1e6, signal, () => Promise.reject(new Error("own"))).catch(() => {});
  assert.equal(listeners.size, 0);
});
