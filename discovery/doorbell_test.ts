// Doorbell: no ring is lost, none counts twice.
import assert from "node:assert/strict";
import { Doorbell } from "./doorbell.ts";
import { FakeClock, settle } from "./fake_clock.ts";

/** No timer, connection or stream may be left behind. */
const STRICT = { sanitizeOps: true, sanitizeResources: true };

const stop = new AbortController();

Deno.test("Doorbell.rings() ends after its time, without a ring", STRICT, async () => {
  const clock = new FakeClock();
  const rung = new Doorbell(clock.wait).rings(1_000, stop.signal);
  await clock.move(1_000);
  assert.equal(await rung, false);
});

Deno.test("Doorbell.rings() ends at once when rung, and stops waiting", STRICT, async () => {
  const clock = new FakeClock();
  const bell = new Doorbell(clock.wait);
  const rung = bell.rings(1_000, stop.signal);
  await settle();
  bell.ring();
  assert.equal(await rung, true);
  assert.equal(clock.waiting, 0);
});

Deno.test("Doorbell keeps a ring while nobody waits, and two count as one", STRICT, async () => {
  const clock = new FakeClock();
  const bell = new Doorbell(clock.wait);
  bell.ring();
  bell.ring();
  assert.equal(await bell.rings(1_000, stop.signal), true);
  const second = bell.rings(1_000, stop.signal);
  await clock.move(1_000);
  assert.equal(await second, false);
});

Deno.test(
  "Doorbell.rings() ends when the signal fires, before or while waiting",
  STRICT,
  async () => {
    const clock = new FakeClock();
    const bell = new Doorbell(clock.wait);
    assert.equal(await bell.rings(1_000, AbortSignal.abort()), false);
    const stop = new AbortController();
    const rung = bell.rings(1_000, stop.signal);
    await settle();
    stop.abort();
    assert.equal(await rung, false);
    assert.equal(clock.waiting, 0);
  },
);

Deno.test("Doorbell.rings() takes a time that has passed for none", STRICT, async () => {
  const clock = new FakeClock();
  const rung = new Doorbell(clock.wait).rings(-5, stop.signal);
  await clock.move(0);
  assert.equal(await rung, false);
});
