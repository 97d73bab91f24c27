import assert from "node:assert/strict";
import type { ContainerEvent } from "../stack/events.ts";
import { recordingOf } from "./fake_recording.ts";
import { caughtBy, livesOf, turnoverOf } from "./lives.ts";

const id = "aaaaaaaaaaaa".padEnd(64, "0"), other = "bbbbbbbbbbbb".padEnd(64, "0");
const event = (action: ContainerEvent["action"], at: number, more: Partial<ContainerEvent> = {}) =>
  ({ id, service: "service", action, at, ...more }) as const;
const by = (instance: string, sent: number, ended: number) => ({
  intended: sent,
  sent,
  ended,
  instance,
});

Deno.test("livesOf() puts an instance's first and last requests beside its events", () => {
  const recording = recordingOf([
    by("bbbbbbbbbbbb", 0, 1),
    by("aaaaaaaaaaaa", 150, 180),
    by("aaaaaaaaaaaa", 160, 170),
    by("aaaaaaaaaaaa", 520, 530),
  ], 1_000_000);
  const events = [
    event("start", 1_000_100),
    event("kill", 1_000_400, { signal: 15 }),
    event("die", 1_003_400),
  ];
  assert.deepEqual(livesOf(events, new Map([["aaaaaaaaaaaa", [1_000_120]]]), recording), [{
    id,
    started: 1_000_100,
    killed: 1_000_400,
    signal: 15,
    died: 1_003_400,
    ready: 1_000_120,
    firstAnswer: 1_000_170,
    lastSent: 1_000_520,
  }]);
});

Deno.test("livesOf() keeps the lives of a container apart that is started again", () => {
  const recording = recordingOf([by("aaaaaaaaaaaa", 5, 6), by("aaaaaaaaaaaa", 205, 206)]);
  const events = [event("kill", 10, { signal: 9 }), event("die", 11), event("start", 200)];
  const lives = livesOf(events, new Map(), recording);
  assert.deepEqual(
    lives.map((
      { started, killed, firstAnswer, lastSent },
    ) => [started, killed, firstAnswer, lastSent]),
    [
      [undefined, 10, 6, 5],
      [200, undefined, 206, 205],
    ],
  );
});

Deno.test("livesOf() takes the first signal, not the one after the grace period", () => {
  const events = [event("kill", 10, { signal: 15 }), event("kill", 99, { signal: 9 })];
  const [life] = livesOf(events, new Map(), recordingOf([]));
  assert.equal(life!.killed, 10);
  assert.equal(life!.signal, 15);
});

Deno.test("turnoverOf() has no times for what did not happen, and counts who was never seen", () => {
  const turnover = turnoverOf([
    { id, started: 100, ready: 150, firstAnswer: 170 },
    { id, started: 100 },
    { id, ready: 5, firstAnswer: 1000 },
    { id: other, killed: 500, lastSent: 620 },
    { id: other, killed: 500, lastSent: 480 },
    { id: other, killed: 500 },
  ]);
  assert.deepEqual(turnover, {
    startToFirst: [70],
    readyToFirst: [20],
    killToLast: [120, 0],
    unseen: 1,
  });
});

Deno.test("caughtBy() counts failed requests that an end caught, by method", () => {
  const recording = recordingOf([
    { intended: 95, ended: 105, ending: "status", status: 502, post: true },
    { intended: 95, ended: 105, ending: "cut" },
    { intended: 95, ended: 105 },
    { intended: 101, ended: 105, ending: "cut", post: true },
    { intended: 111, ended: 115, ending: "cut", post: true },
    { intended: 90, ended: 99, ending: "cut", post: true },
  ]);
  assert.deepEqual(caughtBy([{ id, killed: 100, died: 110 }], recording), {
    underWayAtKill: { GET: 1, POST: 1 },
    sentWhileEnding: { GET: 0, POST: 1 },
  });
});
