// delay(): it ends by time or by signal and leaves nothing behind (Deno's own checks see leaked timers).
import assert from "node:assert/strict";
import { delay } from "./delay.ts";

/** No timer, connection or stream may be left behind. */
const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test("delay() resolves after its time", STRICT, async () => {
  const start = performance.now();
  await delay(20);
  assert.ok(performance.now() - start >= 15);
});

Deno.test("delay() ends at once when the signal fires, and leaves no timer", STRICT, async () => {
  const stop = new AbortController();
  const pause = delay(1e6, stop.signal);
  stop.abort();
  await pause;
});

Deno.test("delay() does not begin when the signal has fired already", STRICT, async () => {
  await delay(1e6, AbortSignal.abort());
});

Deno.test("delay() takes its listener off a signal that lives longer", STRICT, async () => {
  const stop = new AbortController();
  let listeners = 0;
  const add = stop.signal.addEventListener.bind(stop.signal) as (...args: unknown[]) => void;
  const remove = stop.signal.removeEventListener.bind(stop.signal) as typeof add;
  stop.signal.addEventListener = (...args: unknown[]) => (listeners++, add(...args));
  stop.signal.removeEventListener = (...args: unknown[]) => (listeners--, remove(...args));
  for (let i = 0; i < 10; i++) await delay(0, stop.signal);
  assert.equal(listeners, 0);
});
