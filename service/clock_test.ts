import assert from "node:assert/strict";
import { systemClock } from "./clock.ts";

Deno.test("sleep() lasts as long as asked", async () => {
  const start = systemClock.now();
  await systemClock.sleep(15);
  assert.ok(systemClock.now() - start >= 14);
});

Deno.test("sleep() ends when its signal aborts, and leaves no timer behind", async () => {
  const abort = new AbortController();
  const slept = systemClock.sleep(3_600_000, abort.signal);
  abort.abort();
  await slept;
});

Deno.test("sleep() does not begin when its signal has aborted", async () => {
  await systemClock.sleep(3_600_000, AbortSignal.abort());
});
