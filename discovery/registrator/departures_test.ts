// Who is leaving, and until when no list may bring it back (contract 3).
import assert from "node:assert/strict";
import type { ContainerEvent } from "../docker/events.ts";
import { sampleContainer } from "../docker/sample_container.ts";
import type { Container } from "../instance.ts";
import { DEAD_FOR, Departures, SURVIVED } from "./departures.ts";

const NOW = Date.parse("2026-11-23T03:00:00.000Z");
const at = (ms: number) => BigInt(NOW + ms) * 1_000_000n;
const about = (ms: number) => ({ id: "c1", name: "web", at: at(ms) });
const kill = (ms: number, signal: number) => ({ ...about(ms), action: "kill", signal } as const);
const warn = (ms: number) => ({ ...about(ms), action: "drain", command: "sleep 2" } as const);
const simple = (ms: number, action: "start" | "die"): ContainerEvent => ({ ...about(ms), action });
const container = (change: Partial<Container> = {}) =>
  sampleContainer({ startedAt: "2026-11-23T02:59:00Z", ...change });
const running = new Set(["c1"]);
const nobody = new Set<string>();

Deno.test("Departures.killed() takes the container's own stop signal and SIGKILL for leaving, no other", () => {
  for (
    const [stopSignal, signal, leaves] of [[15, 15, true], [3, 3, true], [3, 9, true], [
      3,
      15,
      false,
    ], [15, 1, false]] as const
  ) {
    const departures = new Departures();
    departures.killed(kill(0, signal), container({ stopSignal }), NOW);
    assert.equal(departures.has("c1"), leaves, `${signal} to one with stop signal ${stopSignal}`);
  }
});

Deno.test("Departures.killed() says which signal it was", () => {
  const departures = new Departures();
  departures.killed(kill(0, 3), container({ stopSignal: 3 }), NOW);
  assert.equal(
    departures.of("c1")?.reason,
    "It was sent its stop signal, SIGQUIT: its next start brings it back.",
  );
});

Deno.test("Departures.killed() believes no signal of a container whose label `signal` hides it", () => {
  const departures = new Departures();
  departures.killed(kill(0, 1), container({ labels: { signal: "1" } }), NOW);
  assert.ok(departures.has("c1"));
});

Deno.test("Departures: one not inspected yet leaves at any signal, until its inspection tells better", () => {
  for (const [signal, stays] of [[15, true], [9, true], [1, false]] as const) {
    const departures = new Departures();
    departures.killed(kill(0, signal), undefined, NOW);
    assert.ok(departures.has("c1"));
    departures.inspected(container(), NOW);
    assert.equal(departures.has("c1"), stays, String(signal));
  }
  const departures = new Departures();
  departures.killed(kill(0, 1), undefined, NOW);
  departures.inspected(container({ labels: { signal: "1" } }), NOW);
  assert.ok(departures.has("c1"));
});

Deno.test("Departures: of several signals before the inspection, one that means leaving is enough", () => {
  for (const signals of [[15, 1], [1, 15]]) {
    const departures = new Departures();
    for (const [i, signal] of signals.entries()) {
      departures.killed(kill(i, signal), undefined, NOW + i);
    }
    departures.inspected(container(), NOW);
    assert.ok(departures.has("c1"), String(signals));
  }
  const departures = new Departures();
  departures.inherit("c1", NOW - 1_000, "It was told to.", NOW);
  departures.killed(kill(0, 1), undefined, NOW);
  departures.inspected(container(), NOW);
  assert.ok(departures.has("c1"));
});

Deno.test("Departures: a survivor is taken back after its stop grace and a margin, not before", () => {
  const departures = new Departures();
  departures.killed(kill(0, 15), container({ stopGrace: 30_000 }), NOW);
  const end = NOW + 30_000 + SURVIVED;
  assert.deepEqual(departures.listed(running, end - 1, end - 1), []);
  assert.ok(departures.has("c1"));
  assert.deepEqual(departures.listed(running, end, end), ["c1"]);
  assert.equal(departures.size, 0);
});

Deno.test("Departures: the grace of one not inspected in time is known once it is", () => {
  const departures = new Departures();
  departures.killed(kill(0, 15), undefined, NOW);
  departures.inspected(container({ stopGrace: 60_000 }), NOW);
  assert.deepEqual(departures.listed(running, NOW + 60_000, NOW + 60_000), []);
  assert.deepEqual(departures.listed(running, NOW + 70_000, NOW + 70_000), ["c1"]);
});

Deno.test("Departures: a second signal prolongs", () => {
  const departures = new Departures();
  departures.killed(kill(0, 15), container(), NOW);
  departures.killed(kill(10_000, 9), container(), NOW + 10_000);
  assert.equal(
    departures.of("c1")?.reason,
    "It was sent its stop signal, SIGKILL: its next start brings it back.",
  );
  assert.deepEqual(departures.listed(running, NOW + 25_000, NOW + 25_000), []);
});

Deno.test("Departures: what is said twice or late changes nothing", () => {
  const departures = new Departures();
  departures.killed(kill(0, 15), container(), NOW);
  departures.killed(kill(0, 15), container(), NOW + 5_000);
  departures.killed(kill(-5, 15), container(), NOW + 5_000);
  assert.deepEqual(departures.listed(running, NOW + 20_000, NOW + 20_000), ["c1"]);
  departures.killed(kill(0, 15), container(), NOW);
  departures.ended(simple(5, "die"), NOW + 5);
  departures.killed(kill(0, 15), undefined, NOW + 6);
  assert.ok(departures.isDead("c1"));
  departures.started(simple(-10, "start"), NOW);
  assert.ok(departures.has("c1"));
});

Deno.test("Departures: the end of an earlier life, said again, does not end the leaving of this one", () => {
  const departures = new Departures();
  departures.killed(kill(0, 15), container(), NOW);
  departures.ended(simple(-50, "die"), NOW);
  assert.equal(departures.isDead("c1"), false);
  departures.inspected(container({ startedAt: "2026-11-23T02:59:59.990Z" }), NOW);
  assert.ok(departures.has("c1"));
});

Deno.test("Departures: a start after the end is a new life", () => {
  const departures = new Departures();
  departures.ended(simple(0, "die"), NOW);
  departures.started(simple(1, "start"), NOW);
  assert.equal(departures.has("c1"), false);
});

Deno.test("Departures: after a start nobody is leaving, and an inspection that was asked for before it is of the life that ended", () => {
  const departures = new Departures();
  departures.ended(simple(0, "die"), NOW);
  departures.started(simple(10, "start"), NOW + 20);
  assert.equal(departures.has("c1"), false);
  departures.inspected(container({ startedAt: "2026-11-23T02:59:59Z" }), NOW + 19);
  assert.ok(departures.isDead("c1"), "the life before");
  departures.inspected(container({ startedAt: "2026-11-23T03:00:00.009Z" }), NOW + 19);
  assert.equal(departures.isDead("c1"), false, "the new one, before its event was heard");
  departures.ended(simple(30, "die"), NOW + 30);
  departures.started(simple(40, "start"), NOW + 40);
  departures.inspected(container({ startedAt: "2026-11-23T02:00:00Z" }), NOW + 41);
  assert.equal(departures.isDead("c1"), false, "asked for after it: Docker's clock was set back");
});

Deno.test("Departures: an inspection that shows a later start is a new life, though no event told of it", () => {
  const departures = new Departures();
  departures.ended(simple(0, "die"), NOW);
  departures.inspected(container({ startedAt: "2026-11-23T02:59:59.999999999Z" }), NOW);
  assert.ok(departures.isDead("c1"));
  departures.inspected(
    container({ startedAt: "2026-11-23T03:00:00.000000001Z", running: false }),
    NOW,
  );
  assert.ok(departures.isDead("c1"));
  departures.inspected(container({ startedAt: "2026-11-23T03:00:00.000000001Z" }), NOW);
  assert.equal(departures.has("c1"), false);
});

Deno.test("Departures: a signal after the end is for a life whose start was not heard: its inspection tells", () => {
  for (const [signal, leaves] of [[1, false], [15, true]] as const) {
    const departures = new Departures();
    departures.ended(simple(0, "die"), NOW);
    departures.killed(kill(5_000, signal), undefined, NOW + 5_000);
    assert.ok(departures.isDoubtful("c1"));
    departures.inspected(container(), NOW); // asked before its end
    assert.ok(departures.isDead("c1"));
    departures.inspected(container({ startedAt: new Date(NOW + 1_000).toISOString() }), NOW);
    assert.equal(departures.has("c1"), leaves, String(signal));
    assert.equal(departures.isDead("c1"), false);
  }
});

Deno.test("Departures: a dead one that lists still show stays dead for a while, then is looked at again", () => {
  const departures = new Departures();
  departures.ended(simple(0, "die"), NOW);
  assert.deepEqual(departures.listed(running, NOW + 500, NOW + 500), []);
  assert.deepEqual(departures.listed(running, NOW + DEAD_FOR, NOW + DEAD_FOR), ["c1"]);
});

Deno.test("Departures: one whose end was missed is dead once a later list does not show it", () => {
  const departures = new Departures();
  departures.killed(kill(0, 15), container(), NOW);
  departures.listed(nobody, NOW - 1, NOW); // asked for before
  assert.equal(departures.isDead("c1"), false);
  departures.listed(nobody, NOW + 1, NOW + 1);
  assert.ok(departures.isDead("c1"));
  assert.equal(departures.of("c1")?.reason, "It has ended.");
});

Deno.test("Departures: the dead are forgotten, but not before a late inspection could still arrive", () => {
  const departures = new Departures();
  departures.ended(simple(0, "die"), NOW);
  departures.listed(nobody, NOW + 1, NOW + 1);
  assert.equal(departures.size, 1);
  departures.listed(nobody, NOW + DEAD_FOR, NOW + DEAD_FOR);
  assert.equal(departures.size, 0);
});

Deno.test("Departures: the dead are forgotten in time, also while no list comes", () => {
  const departures = new Departures();
  for (let i = 0; i < 50_000; i++) {
    const event = { id: `c${i}`, name: "", at: at(i), action: "die" } as const;
    departures.killed(
      { ...event, at: at(i) - 1n, action: "kill", signal: 15 },
      container(),
      NOW + i,
    );
    departures.ended(event, NOW + i);
  }
  assert.ok(departures.size <= DEAD_FOR + 1, `${departures.size} remembered`);
});

Deno.test("Departures.warned(): the hook means leaving, and says so", () => {
  const departures = new Departures();
  departures.warned(warn(0), container(), NOW);
  const reason = "It is about to be stopped: sleep 2 has begun in it (SERVICE_DRAIN).";
  assert.equal(departures.of("c1")?.reason, reason);
  departures.killed(kill(2_000, 15), container(), NOW + 2_000);
  assert.equal(
    departures.of("c1")?.reason,
    "It was sent its stop signal, SIGTERM: its next start brings it back.",
  );
});

Deno.test("Departures.warned(): one that is not stopped after all is taken back like one that survived", () => {
  for (const known of [container({ stopGrace: 30_000 }), undefined]) {
    const departures = new Departures();
    departures.warned(warn(0), known, NOW);
    departures.inspected(container({ stopGrace: 30_000 }), NOW); // settles nothing: no signal is in doubt
    const end = NOW + 30_000 + SURVIVED;
    assert.deepEqual(departures.listed(running, end - 1, end - 1), []);
    assert.deepEqual(departures.listed(running, end, end), ["c1"]);
  }
});

Deno.test("Departures.warned(): a signal after the hook counts from the signal", () => {
  const departures = new Departures();
  departures.warned(warn(0), container(), NOW);
  departures.killed(kill(9_000, 15), container(), NOW + 9_000);
  assert.deepEqual(departures.listed(running, NOW + 28_999, NOW + 28_999), []);
  assert.deepEqual(departures.listed(running, NOW + 29_000, NOW + 29_000), ["c1"]);
});

Deno.test("Departures.warned(): what is said late changes nothing, and a new life begins anew", () => {
  const departures = new Departures();
  departures.killed(kill(0, 15), container(), NOW);
  departures.warned(warn(-5), container(), NOW + 1);
  assert.equal(
    departures.of("c1")?.reason,
    "It was sent its stop signal, SIGTERM: its next start brings it back.",
  );
  departures.ended(simple(5, "die"), NOW + 5);
  departures.warned(warn(-5), undefined, NOW + 6);
  assert.ok(departures.isDead("c1"));
  departures.started(simple(10, "start"), NOW);
  assert.equal(departures.has("c1"), false);
});

Deno.test("Departures.inherit(): another signal than the stop signal says nothing of a life that began after what a predecessor saw", () => {
  for (const [startedAt, leaves] of [["02:59:59.5", true], ["03:00:00.5", false]] as const) {
    const departures = new Departures();
    departures.inherit("c1", NOW, "It was sent its stop signal.", NOW);
    departures.killed(kill(1_000, 1), undefined, NOW + 1_000);
    departures.inspected(container({ startedAt: `2026-11-23T${startedAt}Z` }), NOW + 1_001);
    assert.equal(departures.has("c1"), leaves, startedAt);
  }
});

Deno.test("Departures.inherit() goes on with what a predecessor saw, and waits as long as the grace asks", () => {
  const departures = new Departures();
  departures.inherit("c1", NOW - 1_000, "It was told to.", NOW);
  assert.equal(departures.of("c1")?.reason, "It was told to.");
  departures.inspected(container({ stopGrace: 60_000 }), NOW);
  assert.deepEqual(departures.listed(running, NOW + 60_000, NOW + 60_000), []);
  assert.deepEqual(departures.listed(running, NOW + 69_000, NOW + 69_000), ["c1"]);
  departures.inherit("c1", NOW - 1_000, "It was told to.", NOW);
  departures.inspected(container({ startedAt: "2026-11-23T02:59:59.5Z" }), NOW); // it was restarted meanwhile
  assert.equal(departures.has("c1"), false);
});
