// The schedule of probing, on a moved clock.
import assert from "node:assert/strict";
import { FakeClock, settle } from "../fake_clock.ts";
import { Prober } from "./prober.ts";
import type { Finding, Target } from "./target.ts";

function target(name: string, interval = 0): Target {
  const check = { kind: "tcp", interval, timeout: 1_000 } as const;
  return { name, containerId: name, portName: "80", address: "172.20.0.5", port: 80, check };
}
const only = (...targets: Target[]) => new Map(targets.map((target) => [target.name, target]));

/** A prober whose probes find what `ok` says, and when each probe was, in ms. */
function scene(ok: (name: string) => boolean) {
  const clock = new FakeClock();
  const start = clock.now();
  const times: number[] = [];
  const found: Array<[string, Finding]> = [];
  const prober = new Prober({
    probe: async ({ name }) => {
      times.push(clock.now() - start);
      await Promise.resolve();
      return { ok: ok(name), detail: "" };
    },
    found: ({ name }, finding) => found.push([name, finding]),
    wait: clock.wait,
    now: clock.now,
  });
  return { clock, times, found, prober };
}

Deno.test("Prober probes at once, then every 10 ms, and ever more slowly", async () => {
  const { clock, times, prober } = scene(() => false);
  prober.follow(only(target("a")));
  await clock.move(200_000);
  assert.deepEqual(times.slice(0, 4), [0, 10, 20, 30]);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  assert.deepEqual(gaps, gaps.toSorted((a, b) => a - b));
  assert.equal(gaps.at(-1), 1_000);
  prober.stop();
});

Deno.test("Prober gives 300 that start at the same time no more than 1,000 probes a second", async () => {
  const { clock, times, prober } = scene(() => false);
  prober.follow(only(...Array.from({ length: 300 }, (_, i) => target(String(i)))));
  await clock.move(500); // until everybody knows of everybody
  times.length = 0;
  await clock.move(2_000);
  assert.ok(times.length > 1_500 && times.length < 2_100, `${times.length}`);
  prober.stop();
  times.length = 0;
  prober.follow(only(target("a")));
  await clock.move(100);
  assert.equal(times.length, 11); // who has gone has no share
  prober.stop();
});

Deno.test("Prober ends with the first success where only admission was asked for, and does not begin again", async () => {
  const { clock, times, found, prober } = scene(() => true);
  prober.follow(only(target("a")));
  await clock.move(60_000);
  prober.follow(only(target("a")));
  await clock.move(60_000);
  assert.equal(times.length, 1);
  assert.deepEqual(found, [["a", { ok: true, detail: "" }]]);
});

Deno.test("Prober goes on at the interval of an explicit check, and fast again once it has failed three times", async () => {
  let ok = false;
  const { clock, times, prober } = scene(() => ok);
  prober.follow(only(target("a", 10_000)));
  await clock.move(20_000); // slow by now
  ok = true;
  await clock.move(1_000);
  const first = times.at(-1)!;
  await clock.move(20_000);
  assert.deepEqual(times.slice(-3).map((time) => time - first), [0, 10_000, 20_000]);
  ok = false;
  times.length = 0;
  await clock.move(30_000);
  assert.deepEqual(times.slice(0, 3).map((time) => time - first), [30_000, 40_000, 50_000]);
  assert.deepEqual(times.slice(3, 5).map((time) => Math.round(time - first)), [50_010, 50_020]);
  ok = true;
  await clock.move(2_000);
  const back = times.at(-1)!;
  await clock.move(10_000);
  assert.equal(times.at(-1), back + 10_000);
  prober.stop();
});

Deno.test("Prober.follow() ends the loops of targets that are no longer named, and begins those of new ones", async () => {
  const { clock, found, prober } = scene(() => false);
  prober.follow(only(target("a"), target("b")));
  await clock.move(30);
  prober.follow(only(target("b"), target("c")));
  found.length = 0;
  await clock.move(100);
  assert.deepEqual(new Set(found.map(([name]) => name)), new Set(["b", "c"]));
  prober.stop();
  await settle();
  assert.equal(clock.waiting, 0);
});

Deno.test("Prober does not report what a probe finds after its target was dropped", async () => {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const found: string[] = [];
  let fired = false;
  const prober = new Prober({
    probe: (_, signal) => {
      signal.addEventListener("abort", () => fired = true);
      return promise;
    },
    found: ({ name }) => found.push(name),
  });
  prober.follow(only(target("a")));
  prober.stop();
  assert.ok(fired);
  resolve({ ok: true, detail: "" });
  await settle();
  assert.deepEqual(found, []);
});
