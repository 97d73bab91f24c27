import assert from "node:assert/strict";
import { FakeClock, settle } from "./fake_clock.ts";
import { Lifecycle, type Listener } from "./lifecycle.ts";

/** An instance with a drain of 3 s and 14 s in all, whose listener and clock the test moves. */
function instance(options: { startDelayMs?: number; requests?: number } = {}) {
  const clock = new FakeClock();
  const events: string[] = [];
  const state = { requests: options.requests ?? 0, listening: false, code: undefined as unknown };
  const lifecycle = new Lifecycle({
    startDelayMs: options.startDelayMs ?? 0,
    drainMs: 3000,
    shutdownTimeoutMs: 14_000,
    clock,
    log: (_level, event) => events.push(event),
    inFlight: () => state.requests,
  });
  const shut = Promise.withResolvers<void>();
  const finished = Promise.withResolvers<void>();
  const listener: Listener = {
    finished: finished.promise,
    shutdown: () => {
      state.listening = false;
      if (state.requests === 0) shut.resolve();
      return shut.promise;
    },
  };
  const life = lifecycle.run(() => {
    state.listening = true;
    return listener;
  });
  life.then((code) => state.code = code, (error) => state.code = error);
  const answerAll = () => {
    state.requests = 0;
    shut.resolve();
    return settle();
  };
  return { clock, events, state, lifecycle, finished, answerAll };
}

Deno.test("run() is ready as soon as it listens", async () => {
  const { lifecycle, state } = instance();
  await settle();
  assert.equal(lifecycle.phase, "ready");
  assert.equal(state.listening, true);
  assert.equal(lifecycle.leaving, false);
});

Deno.test("run() listens only after the start delay", async () => {
  const { clock, lifecycle, state } = instance({ startDelayMs: 500 });
  await clock.advance(499);
  assert.deepEqual([lifecycle.phase, state.listening], ["starting", false]);
  await clock.advance(1);
  assert.deepEqual([lifecycle.phase, state.listening], ["ready", true]);
});

Deno.test("leave() during the start delay ends it without ever listening", async () => {
  const { lifecycle, state } = instance({ startDelayMs: 500 });
  lifecycle.leave("SIGTERM");
  await settle();
  assert.deepEqual([state.code, state.listening], [0, false]);
});

Deno.test("leave() gives up readiness at once and keeps listening for the drain", async () => {
  const { clock, lifecycle, state } = instance();
  await settle();
  lifecycle.leave("SIGTERM");
  assert.equal(lifecycle.phase, "draining", "before anything else runs");
  assert.equal(lifecycle.leaving, true);
  await clock.advance(2999);
  assert.deepEqual([state.listening, state.code], [true, undefined]);
  await clock.advance(1);
  assert.deepEqual([state.listening, state.code], [false, 0]);
});

Deno.test("run() waits for requests in flight after the drain", async () => {
  const { clock, lifecycle, state, answerAll } = instance({ requests: 2 });
  await settle();
  lifecycle.leave("SIGTERM");
  await clock.advance(3000);
  await clock.advance(10_999);
  assert.deepEqual([lifecycle.phase, state.code], ["stopping", undefined]);
  await answerAll();
  assert.equal(state.code, 0);
});

Deno.test("run() ends at the deadline, with 1 when requests were cut off", async () => {
  const { clock, lifecycle, state, events } = instance({ requests: 2 });
  await settle();
  lifecycle.leave("SIGTERM");
  await clock.advance(3000);
  await clock.advance(11_000);
  assert.equal(state.code, 1);
  assert.equal(events.at(-1), "stopped with requests unanswered");
});

Deno.test("run() ends with 0 when nothing has been in flight for 2 s, though connections are left", async () => {
  const { clock, lifecycle, state } = instance({ requests: 1 });
  await settle();
  lifecycle.leave("SIGTERM");
  await clock.advance(3000);
  state.requests = 0; // Answered, but shutdown() still waits for a connection.
  for (let passed = 0; passed < 1_900; passed += 100) await clock.advance(100);
  assert.equal(state.code, undefined);
  for (let passed = 0; passed < 200; passed += 100) await clock.advance(100);
  assert.equal(state.code, 0);
});

Deno.test("leave() a second time skips the rest of the drain, not the requests in flight", async () => {
  const { clock, lifecycle, state, answerAll } = instance({ requests: 1 });
  await settle();
  lifecycle.leave("SIGTERM");
  await clock.advance(100);
  lifecycle.leave("SIGINT");
  await settle();
  assert.deepEqual([lifecycle.phase, state.listening, state.code], ["stopping", false, undefined]);
  await answerAll();
  assert.equal(state.code, 0);
});

Deno.test("leave() a third time ends it now", async () => {
  const { lifecycle, state, events } = instance({ requests: 1 });
  await settle();
  for (let signal = 1; signal <= 3; signal++) {
    lifecycle.leave("SIGINT");
    await settle();
  }
  assert.equal(state.code, 1);
  assert.deepEqual(events.slice(0, 3), ["leaving", "hastening", "stopping"]);
  assert.equal(events[3], "giving up");
});

Deno.test("leave() once more after the drain ends it now", async () => {
  const { clock, lifecycle, state } = instance({ requests: 1 });
  await settle();
  lifecycle.leave("SIGTERM");
  await clock.advance(3000);
  lifecycle.leave("SIGTERM");
  await settle();
  assert.equal(state.code, 1);
});

Deno.test("run() ends with 1 when the listener stops unasked", async () => {
  for (const failure of [undefined, new Error("too many open files")]) {
    const { state, events, finished } = instance();
    await settle();
    if (failure) finished.reject(failure);
    else finished.resolve();
    await settle();
    assert.equal(state.code, 1);
    assert.deepEqual(events, ["stopped listening unasked"]);
  }
});

Deno.test("run() rejects when it cannot listen", async () => {
  const lifecycle = new Lifecycle({
    startDelayMs: 0,
    drainMs: 0,
    shutdownTimeoutMs: 1,
    clock: new FakeClock(),
    log: () => {},
    inFlight: () => 0,
  });
  await assert.rejects(lifecycle.run(() => Promise.reject(new Error("taken"))), /taken/);
});
