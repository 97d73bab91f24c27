// The schedule of probing, on a moved clock.
import assert from "node:assert/strict";
import { FakeClock, settle } from "../fake_clock.ts";
import { Prober } from "./prober.ts";
import { type Phase, Probing } from "./probing.ts";
import type { Finding, Target } from "./target.ts";

function target(name: string, interval = 0): Target {
  const check = { kind: "tcp", interval, timeout: 1_000 } as const;
  return { name, containerId: name, portName: "80", address: "172.20.0.5", port: 80, check };
}

/** A prober whose probes find what `ok` says, and when each probe was, in ms. */
function scene(ok: (name: string) => boolean, { random = () => 1, proving = () => false }: {
  random?: () => number;
  proving?: () => boolean;
} = {}) {
  const clock = new FakeClock();
  const start = clock.now();
  const times: number[] = [];
  const found: Array<[string, Finding]> = [];
  const probings = new Map<string, Probing>();
  const prober = new Prober({
    probe: async ({ name }) => {
      times.push(clock.now() - start);
      await Promise.resolve();
      return { ok: ok(name), detail: "" };
    },
    found: (target, result): Phase => {
      found.push([target.name, result]);
      const probing = probings.get(target.name) ?? new Probing(target);
      probings.set(target.name, probing);
      probing.found(result, clock.now());
      return probing.passed && proving() ? "proving" : probing.phase;
    },
    wait: clock.wait,
    now: clock.now,
    random,
  });
  const follow = (...targets: Target[]) => {
    for (const target of targets) prober.follow(target.containerId, [target]);
  };
  return { clock, times, found, prober, follow };
}

Deno.test("Prober probes at once, then every 10 ms, and ever more slowly", async () => {
  const { clock, times, prober, follow } = scene(() => false);
  follow(target("a"));
  await clock.move(200_000);
  assert.deepEqual(times.slice(0, 4), [0, 10, 20, 30]);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  assert.deepEqual(gaps, gaps.toSorted((a, b) => a - b));
  assert.equal(gaps.at(-1), 1_000);
  prober.stop();
});

Deno.test("Prober gives 300 that start at the same time no more than 1,000 probes a second", async () => {
  const { clock, times, prober, follow } = scene(() => false);
  follow(...Array.from({ length: 300 }, (_, i) => target(String(i))));
  await clock.move(500); // until everybody knows of everybody
  times.length = 0;
  await clock.move(2_000);
  assert.ok(times.length > 1_500 && times.length < 2_100, `${times.length}`);
  prober.stop();
  times.length = 0;
  follow(target("a"));
  await clock.move(100);
  assert.equal(times.length, 11); // who has gone has no share
  prober.stop();
});

Deno.test("Prober ends with the first success where only admission was asked for, and does not begin again", async () => {
  const { clock, times, found, follow } = scene(() => true);
  follow(target("a"));
  await clock.move(60_000);
  follow(target("a"));
  await clock.move(60_000);
  assert.equal(times.length, 1);
  assert.deepEqual(found, [["a", { ok: true, detail: "", took: 0 }]]);
});

Deno.test("Prober goes on at the interval of an explicit check, and looks again soon after a failure, until it passes twice", async () => {
  let ok = false;
  const { clock, times, prober, follow } = scene(() => ok);
  follow(target("a", 10_000));
  await clock.move(20_000); // slow by now
  ok = true;
  await clock.move(1_000);
  const first = times.at(-1)!;
  await clock.move(20_000);
  assert.deepEqual(times.slice(-3).map((time) => time - first), [0, 10_000, 20_000]);
  ok = false;
  times.length = 0;
  await clock.move(13_000);
  const after = () => times.map((time) => time - first);
  assert.deepEqual(after(), [30_000, 31_000, 32_000, 33_000]);
  ok = true;
  await clock.move(12_000);
  assert.deepEqual(after().slice(4), [34_000, 35_000, 45_000]);
  prober.stop();
});

Deno.test("Prober looks again at the interval where that is shorter than a second", async () => {
  let ok = true;
  const { clock, times, prober, follow } = scene(() => ok);
  follow(target("a", 200));
  await clock.move(500);
  ok = false;
  await clock.move(1_000);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  assert.deepEqual(new Set(gaps), new Set([200]));
  prober.stop();
});

Deno.test("Prober spreads the checks of those that were admitted in the same moment", async () => {
  let draw = 0;
  const { clock, times, prober, follow } = scene(() => true, { random: () => draw++ / 10 });
  follow(...Array.from({ length: 10 }, (_, i) => target(String(i), 10_000)));
  await clock.move(100_000);
  const last = times.slice(-10);
  assert.equal(new Set(last).size, 10);
  assert.ok(last.at(-1)! - last[0]! >= 4_000);
  prober.stop();
});

Deno.test("Prober goes on, each second, with one that must prove itself first", async () => {
  let proving = true;
  const { clock, times, prober, follow } = scene(() => true, { proving: () => proving });
  follow(target("a"));
  await clock.move(3_500);
  proving = false;
  await clock.move(60_000);
  assert.deepEqual(times, [0, 1_000, 2_000, 3_000, 4_000]);
  prober.stop();
});

Deno.test("Prober slows down who fails when very many do", async () => {
  const ok = new Set<string>();
  const { clock, times, prober, follow } = scene((name) => ok.has(name));
  const many = Array.from({ length: 2_000 }, (_, i) => target(String(i), 10_000));
  for (const { name } of many) ok.add(name);
  follow(...many);
  await clock.move(20_000);
  ok.clear();
  await clock.move(20_000);
  times.length = 0;
  await clock.move(5_000);
  assert.ok(times.length <= 5_500, `${times.length}`);
  prober.stop();
});

Deno.test("Prober.follow() ends the loops of targets that are no longer named, and begins those of new ones", async () => {
  const { clock, found, prober } = scene(() => false);
  prober.follow("c1", [target("a"), target("b")]);
  prober.follow("c2", [target("other")]);
  await clock.move(30);
  prober.follow("c1", [target("b"), target("c")]);
  found.length = 0;
  await clock.move(100);
  assert.deepEqual(new Set(found.map(([name]) => name)), new Set(["b", "c", "other"]));
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
    found: ({ name }) => {
      found.push(name);
      return "passing";
    },
  });
  prober.follow("a", [target("a")]);
  prober.stop();
  assert.ok(fired);
  resolve({ ok: true, detail: "" });
  await settle();
  assert.deepEqual(found, []);
});

/** Endpoints that pass, until `silent` says which give no answer any more and `refusing` which refuse. */
function listening(...names: string[]) {
  const clock = new FakeClock();
  const silent = new Set<string>();
  const refusing = new Set<string>();
  const phases = new Map<string, Probing>();
  const unheard: string[] = [];
  const prober = new Prober({
    probe: async ({ name }) => {
      await Promise.resolve();
      if (silent.has(name)) return { ok: false, detail: "no answer", silent: true };
      return { ok: !refusing.has(name), detail: "" };
    },
    phase: ({ name }) => phases.get(name)?.phase,
    found: (target, result) => {
      const probing = phases.get(target.name) ?? new Probing(target);
      phases.set(target.name, probing);
      probing.found(result, clock.now());
      return probing.phase;
    },
    unheard: ({ name }) => unheard.push(name),
    wait: clock.wait,
    now: clock.now,
    random: () => 1,
  });
  for (const name of names) prober.follow(name, [target(name, 1_000)]);
  const phase = (name: string) => phases.get(name)?.phase;
  return { clock, silent, refusing, unheard, prober, phase };
}

Deno.test("Prober takes nobody out while nobody at all answers, and judges again when somebody does", async () => {
  const { clock, silent, unheard, prober, phase } = listening("a", "b", "c");
  await clock.move(2_000);
  for (const name of ["a", "b", "c"]) silent.add(name);
  await clock.move(60_000);
  assert.deepEqual(["a", "b", "c"].map(phase), ["passing", "passing", "passing"]);
  assert.ok(new Set(unheard).size === 3, "nobody was told");
  silent.delete("b"); // it was not us: a and c are gone
  await clock.move(4_000);
  assert.deepEqual(["a", "b", "c"].map(phase), ["failing", "passing", "failing"]);
  prober.stop();
});

Deno.test("Prober takes a refusal of somebody else for a sign that it is heard", async () => {
  const { clock, silent, refusing, prober, phase } = listening("a", "b");
  await clock.move(2_000);
  silent.add("a");
  refusing.add("b");
  await clock.move(4_000);
  assert.deepEqual(["a", "b"].map(phase), ["failing", "failing"]);
  prober.stop();
});

Deno.test("Prober takes the only one there is at its word: no answer is a failure", async () => {
  const { clock, silent, prober, phase } = listening("a");
  await clock.move(2_000);
  silent.add("a");
  await clock.move(4_000);
  assert.equal(phase("a"), "failing");
  prober.stop();
});
