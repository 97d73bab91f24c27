// The state machine behind contract 3, fact by fact.
import assert from "node:assert/strict";
import type { ContainerEvent } from "../docker/events.ts";
import type { Listed } from "../docker/replies.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import type { Container } from "../instance.ts";
import {
  decodeRegistration,
  decodeStatus,
  type Drain,
  encode,
  type Registration,
} from "../registration.ts";
import { DEAD_FOR, SURVIVED } from "./departures.ts";
import { inheritanceIn } from "./inheritance.ts";
import { Roster } from "./roster.ts";
import type { Target } from "./target.ts";
import { FALL } from "./probing.ts";

const START = Date.parse("2026-11-23T03:00:00.000Z");
const KEY = "/services/nginx/h:web-c1:80";
const PASSED = { ok: true, detail: "connected" };
const FAILED = { ok: false, detail: "connection refused" };
type Say = ContainerEvent extends infer E
  ? E extends ContainerEvent ? Omit<E, "id" | "name" | "at"> : never
  : never;

/** A roster with a clock, and shorthands for what it is told. */
class Scene {
  now = START;
  readonly roster = new Roster({ host: "h", networks: ["edge"], explicit: false, tags: [] });

  tick(ms = 1): this {
    this.now += ms;
    return this;
  }

  saw(change: Partial<Container> = {}, asOf = this.now): this {
    this.roster.saw(sampleContainer(change), asOf, this.now);
    return this;
  }

  hear(event: Say, id = "c1", at = this.now): boolean {
    const whole = {
      ...event,
      id,
      name: `web-${id}`,
      at: BigInt(at) * 1_000_000n,
    } as ContainerEvent;
    return this.roster.heard(whole, this.now);
  }

  list(rows: ReadonlyArray<Partial<Listed>>, asOf = this.now) {
    const { id, name, running, paused, health, networks } = sampleContainer();
    const row = { id, name, running, paused, health, networks };
    return this.roster.listed(rows.map((change) => ({ ...row, ...change })), asOf, this.now);
  }

  probe(finding = PASSED, times = 1): this {
    for (let i = 0; i < times; i++) {
      for (const target of this.targets) {
        this.roster.probed(target, { ...finding, took: 1 }, this.now);
      }
    }
    return this;
  }

  /** An instance in rotation. */
  up(change: Partial<Container> = {}): this {
    return this.saw(change).tick().probe().tick();
  }

  /** The keys that another registrator of this host left. */
  inherit(entries: ReadonlyMap<string, string>): this {
    const stored = new Map([...entries].map(([key, value]) => [key, { value, lease: "1" }]));
    this.roster.inherit(inheritanceIn(stored, "h"), this.now);
    return this;
  }

  status(port = "80", id = "c1") {
    const value = this.roster.entries().get(`/rollcall/status/h/${id}/${port}`);
    return value === undefined ? undefined : decodeStatus(value);
  }

  /** The endpoints to probe, of all containers. */
  get targets(): readonly Target[] {
    return ["c1", "c2"].flatMap((id) => this.roster.targetsOf(id));
  }

  get state(): string | undefined {
    return this.status()?.state;
  }

  get inRotation(): boolean {
    return this.roster.entries().has(KEY);
  }
}

Deno.test("Roster: an instance is starting until its probe passes, then up, with its key and since when", () => {
  const scene = new Scene().saw();
  assert.deepEqual([scene.state, scene.inRotation], ["starting", false]);
  scene.tick(40).probe(FAILED);
  assert.equal(scene.status()?.reason, "172.20.0.5:80: connection refused.");
  scene.tick(10).probe();
  assert.deepEqual([scene.state, scene.inRotation], ["up", true]);
  const registration = decodeRegistration(KEY, scene.roster.entries().get(KEY)!);
  assert.equal(registration?.since, "2026-11-23T03:00:00.050Z");
  assert.equal(registration?.container, "web-c1");
});

Deno.test("Roster: three failed probes in a row take an instance out, two that pass bring it back", () => {
  const scene = new Scene().up().probe(FAILED, FALL - 1);
  assert.equal(scene.state, "up");
  scene.probe().probe(FAILED, FALL - 1);
  assert.equal(scene.state, "up");
  scene.probe(FAILED);
  assert.deepEqual([scene.state, scene.inRotation], ["unhealthy", false]);
  scene.probe();
  assert.equal(scene.state, "unhealthy");
  scene.probe();
  assert.equal(scene.state, "up");
});

Deno.test("Roster: the stop signal takes an instance out at once, and its probing ends", () => {
  const scene = new Scene().up();
  assert.equal(scene.hear({ action: "kill", signal: 15 }), false);
  assert.deepEqual([scene.state, scene.inRotation], ["draining", false]);
  assert.equal(
    scene.status()?.reason,
    "It was sent its stop signal, SIGTERM: its next start brings it back.",
  );
  assert.equal(scene.targets.length, 0);
});

Deno.test("Roster: the hook before the stop signal takes an instance out at once; not stopped, it comes back", () => {
  const scene = new Scene().up();
  assert.equal(scene.hear({ action: "drain", command: "sleep 2" }), false);
  assert.deepEqual([scene.state, scene.inRotation], ["draining", false]);
  assert.match(scene.status()?.reason ?? "", /sleep 2 has begun in it/);
  scene.tick().saw().list([{}]);
  assert.equal(scene.inRotation, false);
  scene.tick(10_000 + SURVIVED).list([{}]);
  scene.saw().probe(PASSED, 2);
  assert.equal(scene.state, "up");
});

Deno.test("Roster: another signal changes nothing", () => {
  const scene = new Scene().up({ stopSignal: 3 });
  scene.hear({ action: "kill", signal: 15 });
  assert.equal(scene.state, "up");
});

Deno.test("Roster: SIGKILL under a label `signal` that hides it takes the instance out all the same", () => {
  const scene = new Scene().up({ labels: { signal: "1" } });
  scene.hear({ action: "kill", signal: 1 });
  assert.equal(scene.inRotation, false);
});

Deno.test("Roster: a list does not bring back who is leaving", () => {
  const scene = new Scene().up();
  scene.hear({ action: "kill", signal: 15 });
  scene.tick();
  assert.deepEqual(scene.list([{}]), { inspect: [], missed: [] });
  scene.saw().probe();
  assert.deepEqual([scene.state, scene.inRotation], ["draining", false]);
});

Deno.test("Roster: who outlives its stop grace is taken back, probed anew, and not up before it passes", () => {
  const scene = new Scene().up();
  scene.hear({ action: "kill", signal: 15 });
  scene.tick(10_000 + SURVIVED - 1).list([{}]);
  assert.equal(scene.state, "draining");
  scene.tick().list([{}]);
  assert.equal(scene.state, "starting");
  assert.equal(scene.status()?.since, new Date(scene.now).toISOString());
  assert.equal(scene.roster.judged(), false);
  assert.equal(scene.probe().state, "starting"); // once may be luck
  assert.equal(scene.probe().state, "up");
});

Deno.test("Roster: die removes every key at once, and dockerd's late list and late inspection change nothing", () => {
  const scene = new Scene().up();
  const askedBefore = scene.now;
  scene.tick();
  assert.equal(scene.hear({ action: "die" }), false);
  assert.equal(scene.roster.entries().size, 0);
  scene.tick().saw({}, askedBefore); // asked for before it died, answered after
  assert.equal(scene.roster.entries().size, 0);
  assert.deepEqual(scene.tick().list([{}]).missed, []);
  scene.tick().saw(); // asked for after it died: dockerd lags
  assert.equal(scene.roster.entries().size, 0);
  assert.equal(scene.hear({ action: "networks" }), false);
});

Deno.test("Roster: an inspection asked for before a list that no longer shows the container changes nothing", () => {
  const scene = new Scene();
  const asked = scene.now;
  scene.tick().list([]);
  scene.tick().saw({}, asked);
  assert.equal(scene.roster.size, 0);
});

Deno.test("Roster: a restarted container is a new life: it must pass its probes again", () => {
  const scene = new Scene().up();
  scene.hear({ action: "die" });
  scene.tick();
  assert.equal(scene.hear({ action: "start" }), true);
  scene.tick().saw({ startedAt: "2026-11-23T03:00:00.003Z" });
  assert.equal(scene.state, "starting");
  assert.equal(scene.probe().state, "up");
});

Deno.test("Roster: a restart of which no event told is seen by the list, though the address is the same, and is not called unhealthy", () => {
  const scene = new Scene().up();
  const networks = [attached("edge", "172.20.0.5", "e2")];
  assert.deepEqual(scene.tick().list([{ networks }]).inspect, ["c1"]);
  scene.saw({ startedAt: "2026-11-23T03:00:00.001Z", networks });
  assert.equal(scene.probe(FAILED).state, "starting");
});

Deno.test("Roster: a start after a missed die ends the draining of the life before", () => {
  const scene = new Scene().up();
  scene.hear({ action: "kill", signal: 15 });
  scene.tick().saw({ startedAt: "2026-11-23T03:00:00.005Z" });
  assert.equal(scene.state, "starting");
});

Deno.test("Roster: a start after a missed die ends the life before: what is heard of the new one does not register the old address", () => {
  const scene = new Scene().up({ health: "healthy" });
  scene.tick().hear({ action: "kill", signal: 15 });
  scene.tick().hear({ action: "start" });
  assert.equal(scene.tick().hear({ action: "health", health: "healthy" }), true);
  assert.deepEqual([...scene.roster.entries().keys()], []);
  scene.tick().saw({ health: "healthy", startedAt: "2026-11-23T03:00:00.001Z" });
  assert.equal(scene.state, "up", "and it was told to stop, so that is no crash");
});

Deno.test("Roster: what befell the life before says nothing of the one that an inspection has shown", () => {
  const before: Say[] = [
    { action: "kill", signal: 15 },
    { action: "drain", command: "x" },
    { action: "pause" },
    { action: "health", health: "unhealthy" },
    { action: "die" },
    { action: "start" },
  ];
  for (const event of before) {
    const scene = new Scene().up({ health: "healthy" });
    scene.tick(10).saw({ health: "healthy", startedAt: "2026-11-23T03:00:00.008Z" });
    assert.equal(scene.hear(event, "c1", START + 5), false);
    assert.equal(scene.state, "up", event.action);
    scene.tick().hear({ action: "kill", signal: 15 });
    assert.equal(scene.state, "draining");
  }
  const scene = new Scene().up({ health: "starting" });
  scene.hear({ action: "health", health: "healthy" }, "c1", START - 120_000);
  assert.equal(scene.state, "starting", "it has not passed itself");
});

Deno.test("Roster: an inspection that was overtaken by a whole restart does not bring the life before back", () => {
  const scene = new Scene().up({ health: "healthy" });
  const asked = scene.now;
  scene.tick().hear({ action: "kill", signal: 15 });
  scene.tick().hear({ action: "die" });
  scene.tick().hear({ action: "start" });
  scene.tick().saw({ health: "healthy" }, asked);
  assert.deepEqual([...scene.roster.entries().keys()], []);
  scene.tick().saw({ health: "healthy", startedAt: "2026-11-23T03:00:00.004Z" });
  assert.equal(scene.state, "up");
});

Deno.test("Roster: an inspection that was overtaken by an event does not undo it", () => {
  const scene = new Scene().up({ health: "healthy", labels: { SERVICE_CHECK_TCP: "1" } });
  const asked = scene.now;
  scene.tick().hear({ action: "health", health: "unhealthy" });
  scene.tick().saw({ health: "healthy", labels: { SERVICE_CHECK_TCP: "1" } }, asked);
  assert.equal(scene.state, "unhealthy");
});

Deno.test("Roster: a list that was overtaken by an event does not undo it", () => {
  const scene = new Scene().up();
  const asked = scene.now;
  scene.tick().hear({ action: "pause" });
  scene.tick().list([{ paused: false }], asked);
  assert.equal(scene.state, "paused");
  scene.tick().list([], asked);
  assert.equal(scene.state, "paused");
});

Deno.test("Roster: a list that was overtaken by a newer list says nothing", () => {
  const scene = new Scene().up();
  const asked = scene.now;
  scene.tick().list([{ paused: true }]);
  assert.deepEqual(scene.tick().list([], asked), { inspect: [], missed: [] });
  assert.equal(scene.state, "paused");
  scene.tick().list([]);
  assert.deepEqual(scene.list([{}], asked), { inspect: [], missed: [] });
});

Deno.test("Roster: pause takes out, unpause brings back at once", () => {
  const scene = new Scene().up();
  assert.equal(scene.hear({ action: "pause" }), false);
  assert.deepEqual([scene.state, scene.inRotation, scene.targets.length], [
    "paused",
    false,
    0,
  ]);
  assert.equal(
    scene.tick().hear({ action: "unpause" }),
    true,
    "what was missed meanwhile is asked for",
  );
  assert.deepEqual([scene.state, scene.inRotation], ["up", true]);
});

Deno.test("Roster: a list tells of pause and unpause that no event told of", () => {
  const scene = new Scene().up().tick();
  scene.list([{ paused: true }]);
  assert.equal(scene.state, "paused");
  scene.tick().list([{}]);
  assert.equal(scene.state, "up");
});

Deno.test("Roster: a paused container keeps its HEALTHCHECK, though the list does not show it", () => {
  const scene = new Scene().saw({ health: "healthy" }).tick();
  assert.equal(scene.state, "up");
  assert.deepEqual(scene.list([{ paused: true, health: "none" }]), { inspect: [], missed: [] });
  scene.tick().hear({ action: "unpause" });
  assert.equal(scene.status()?.reason, "Its HEALTHCHECK passes.");
  assert.equal(scene.targets.length, 0); // it did not turn into one that is probed by TCP
});

Deno.test("Roster: HEALTHCHECK's events take out and bring back; a list that differs asks for an inspection", () => {
  const scene = new Scene().saw({ health: "starting" });
  assert.equal(scene.state, "starting");
  scene.tick().hear({ action: "health", health: "healthy" });
  assert.equal(scene.state, "up");
  scene.tick().hear({ action: "health", health: "unhealthy" });
  assert.equal(scene.state, "unhealthy");
  assert.deepEqual(scene.tick().list([{ health: "healthy" }]), { inspect: ["c1"], missed: [] });
  assert.equal(scene.state, "unhealthy"); // the inspection decides
  assert.equal(scene.saw({ health: "healthy" }).state, "up");
});

Deno.test("Roster: a list finds new, gone and changed containers, and says what events should have told", () => {
  const scene = new Scene().up().tick();
  assert.deepEqual(scene.list([{}, { id: "c2" }]), { inspect: ["c2"], missed: ["c2"] });
  scene.tick();
  assert.deepEqual(scene.list([{ name: "renamed" }]), { inspect: ["c1"], missed: [] });
  assert.deepEqual(scene.list([{ networks: [] }]), { inspect: [], missed: [] }); // asked for at the same time
  scene.tick();
  assert.deepEqual(scene.list([{ networks: [] }]), { inspect: ["c1"], missed: [] });
  scene.tick();
  assert.deepEqual(scene.list([]), { inspect: [], missed: ["c1"] });
  assert.equal(scene.roster.size, 0);
});

Deno.test("Roster: a list leaves alone who was seen after it was asked for", () => {
  const scene = new Scene();
  const asked = scene.now;
  scene.tick().up();
  scene.list([], asked);
  assert.equal(scene.state, "up");
});

Deno.test("Roster: a row that is not running is as good as none", () => {
  const scene = new Scene().up().tick();
  scene.list([{ running: false }]);
  assert.equal(scene.roster.size, 0);
  assert.deepEqual(scene.tick().list([{ id: "c2", running: false }]).inspect, []);
});

Deno.test("Roster: an inspection that shows a container not running is the end of its keys", () => {
  const scene = new Scene().up().tick().saw({ running: false });
  assert.equal(scene.roster.entries().size, 0);
});

Deno.test("Roster.gone() forgets, unless something newer is known", () => {
  const scene = new Scene().up();
  scene.roster.gone("c1", START - 1);
  assert.equal(scene.roster.size, 1);
  scene.roster.gone("c1", scene.now);
  scene.roster.gone("c9", scene.now);
  assert.equal(scene.roster.size, 0);
});

Deno.test("Roster: a renamed container gets the key of its new name", () => {
  const scene = new Scene().up();
  assert.equal(scene.hear({ action: "rename" }), true);
  scene.tick().saw({ name: "other" });
  assert.deepEqual(
    [...scene.roster.entries().keys()].filter((key) => key.startsWith("/services/")),
    [
      "/services/nginx/h:other:80",
    ],
  );
});

Deno.test("Roster: another address is probed anew, and what the old one answers is not believed", () => {
  const scene = new Scene().up();
  const [old] = scene.targets;
  scene.tick().saw({ networks: [attached("edge", "172.20.0.9")] });
  scene.roster.probed(old!, { ...PASSED, took: 1 }, scene.now);
  assert.notEqual(scene.state, "up");
  assert.equal(scene.probe().state, "up");
});

Deno.test("Roster: a probe of a life before is not believed", () => {
  const scene = new Scene().saw();
  const [old] = scene.targets;
  scene.hear({ action: "die" });
  scene.tick().hear({ action: "start" });
  scene.saw({ startedAt: "2026-11-23T03:00:00.001Z" });
  scene.roster.probed(old!, { ...PASSED, took: 1 }, scene.now);
  assert.equal(scene.state, "starting");
});

Deno.test("Roster: events about containers not known yet ask for an inspection, where there may be something to see", () => {
  const scene = new Scene();
  const unknown = (event: Say) => scene.tick().hear(event, "new");
  assert.equal(unknown({ action: "start" }), true);
  assert.equal(unknown({ action: "unpause" }), true);
  assert.equal(unknown({ action: "health", health: "healthy" }), true);
  assert.equal(unknown({ action: "networks" }), false);
  assert.equal(unknown({ action: "rename" }), false);
  assert.equal(unknown({ action: "kill", signal: 15 }), true);
  assert.equal(unknown({ action: "die" }), false);
  // It must have started again: of those that have ended Docker tells no signal.
  assert.equal(unknown({ action: "kill", signal: 9 }), true);
});

Deno.test("Roster: a signal that means nothing does not keep out one whose start was not heard", () => {
  const scene = new Scene().up();
  scene.tick().hear({ action: "die" });
  const startedAt = new Date(scene.now + 1_000).toISOString();
  scene.tick(15_000);
  assert.equal(scene.hear({ action: "kill", signal: 1 }), true);
  scene.tick().saw({ startedAt }).probe();
  assert.equal(scene.state, "up");
});

Deno.test("Roster: one killed before it was inspected is draining from the first", () => {
  const scene = new Scene();
  scene.hear({ action: "start" });
  scene.tick().hear({ action: "kill", signal: 15 });
  scene.tick().saw();
  assert.equal(scene.state, "draining");
});

Deno.test("Roster: 53/tcp and 53/udp have a status each", () => {
  const scene = new Scene().saw({
    exposed: [{ number: 53, protocol: "tcp" }, { number: 53, protocol: "udp" }],
  });
  assert.deepEqual([scene.status("53")?.state, scene.status("53:udp")?.state], ["starting", "up"]);
  const before = new Map(scene.roster.entries());
  scene.tick(100).saw({
    exposed: [{ number: 53, protocol: "tcp" }, { number: 53, protocol: "udp" }],
  });
  assert.deepEqual(scene.roster.entries(), before); // and do not push each other back and forth
});

Deno.test("Roster: a rejected container has a status that says why, and no key", () => {
  const scene = new Scene().saw({ networks: [attached("other", "10.0.0.1")] });
  assert.equal(scene.state, "rejected");
  assert.match(scene.status()!.reason, /Add the network edge/);
  assert.equal(scene.inRotation, false);
  scene.tick().saw();
  assert.equal(scene.state, "starting");
});

Deno.test("Roster: nothing changes as long as everything says the same", () => {
  const scene = new Scene().up({ labels: { SERVICE_CHECK_TCP: "true" } });
  const before = new Map(scene.roster.entries());
  scene.roster.takeChanged();
  for (let i = 0; i < 100; i++) scene.tick(30_000).probe();
  scene.list([{}]);
  assert.deepEqual(scene.roster.entries(), before);
  assert.equal(scene.roster.takeChanged().size, 0);
});

Deno.test("Roster.takeChanged() names the container with every change of entries or targets", () => {
  const scene = new Scene();
  const steps: Array<() => unknown> = [
    () => scene.saw(),
    () => scene.probe(),
    () => scene.hear({ action: "pause" }),
    () => scene.hear({ action: "unpause" }),
    () => scene.probe(FAILED, FALL),
    () => scene.hear({ action: "kill", signal: 15 }),
    () => scene.hear({ action: "die" }),
  ];
  for (const [i, step] of steps.entries()) {
    step();
    assert.deepEqual(scene.tick().roster.takeChanged(), new Set(["c1"]), `step ${i}`);
    assert.equal(scene.roster.takeChanged().size, 0);
  }
});

Deno.test("Roster: a status tells the probe that it rests on", () => {
  const scene = new Scene().saw().tick(50).probe(FAILED);
  assert.deepEqual(scene.status()?.probe, {
    ...{ what: "172.20.0.5:80", ok: false, detail: "connection refused" },
    ...{ at: "2026-11-23T03:00:00.050Z", took: 1 },
  });
  scene.tick(50).probe();
  assert.deepEqual([scene.status()?.probe?.ok, scene.status()?.probe?.at], [
    true,
    "2026-11-23T03:00:00.100Z",
  ]);
});

/** One whose last `times` lives ended by themselves, each after `lived` ms; it has just been started again. */
function crashed(times: number, lived: number, change: Partial<Container> = {}): Scene {
  const scene = new Scene();
  scene.hear({ action: "start" });
  for (let i = 0; i < times; i++) {
    scene.saw({ startedAt: new Date(scene.now).toISOString(), ...change }).tick(lived);
    scene.hear({ action: "die" });
    scene.tick(100).hear({ action: "start" });
  }
  return scene.saw({ startedAt: new Date(scene.now).toISOString(), ...change });
}

Deno.test("Roster: one that crashed once is admitted at once; after the second crash it must pass for 1 s, after the third for 2 s", () => {
  assert.equal(crashed(1, 100).probe().state, "up");
  for (const [times, trial] of [[2, 1_000], [3, 2_000], [20, 60_000]] as const) {
    const scene = crashed(times, 100).tick(30).probe();
    assert.deepEqual([scene.state, scene.inRotation], ["starting", false]);
    assert.equal(
      scene.status()?.reason,
      `${times} times in a row it ended within 60 s of its start: docker logs may say why; ` +
        `it is admitted once it has answered for ${trial / 1_000} s.`,
    );
    assert.equal(scene.status()?.crashes, times);
    const [target] = scene.targets;
    const phase = scene.roster.probed(target!, { ...PASSED, took: 1 }, scene.now);
    assert.equal(phase, "proving"); // so it is looked at again
    assert.equal(scene.roster.due, scene.now + trial);
    scene.tick(trial - 1).roster.passed(scene.now);
    assert.equal(scene.inRotation, false);
    scene.tick().roster.passed(scene.now);
    assert.deepEqual([scene.state, scene.inRotation, scene.roster.due], ["up", true, undefined]);
  }
});

Deno.test("Roster: a failed probe begins the trial anew, and who has proven itself need not do so again", () => {
  const scene = crashed(3, 100).probe().tick(1_900).probe(FAILED).tick(100).probe();
  assert.equal(scene.inRotation, false);
  scene.tick(1_899).roster.passed(scene.now);
  assert.equal(scene.inRotation, false);
  scene.tick().roster.passed(scene.now);
  assert.equal(scene.inRotation, true);
  scene.probe(FAILED, FALL);
  assert.equal(scene.probe(PASSED, 2).inRotation, true);
});

Deno.test("Roster: long lives and those that end because they were told to make up for crashes", () => {
  assert.equal(crashed(5, 60_000).probe().state, "up");
  const scene = crashed(5, 100);
  scene.hear({ action: "kill", signal: 15 });
  scene.tick().hear({ action: "die" });
  scene.tick().hear({ action: "start" });
  scene.tick().saw({ startedAt: new Date(scene.now).toISOString() });
  assert.equal(scene.probe().state, "up");
});

Deno.test("Roster: a crash is counted once, however often it is told, and also when nobody tells", () => {
  const scene = new Scene().saw({ startedAt: new Date(START).toISOString() });
  for (let i = 0; i < 5; i++) scene.tick().hear({ action: "die" }, "c1", START + 1);
  scene.tick().hear({ action: "start" });
  scene.saw({ startedAt: new Date(scene.now).toISOString() });
  scene.tick().hear({ action: "die" }, "c1", START + 1); // of the life before
  scene.saw({ startedAt: new Date(scene.now).toISOString() });
  assert.equal(scene.status()?.crashes, 2); // and an end that no event told of
});

Deno.test("Roster: an instance that is admitted by its HEALTHCHECK must prove itself as well", () => {
  const scene = crashed(2, 100, { health: "healthy" });
  assert.equal(scene.state, "starting");
  scene.tick(1_000).roster.passed(scene.now);
  assert.equal(scene.state, "up");
});

Deno.test("Roster.inherit(): crashes are remembered, and a trial that was passed", () => {
  const trying = crashed(3, 100).probe();
  const startedAt = new Date(trying.now).toISOString();
  const during = new Scene().inherit(trying.roster.entries());
  during.now = trying.now + 1;
  assert.equal(during.saw({ startedAt }).probe().status()?.crashes, 3);
  assert.equal(during.inRotation, false);
  trying.tick(2_000).roster.passed(trying.now);
  const after = new Scene().inherit(trying.roster.entries());
  after.now = trying.now + 1;
  assert.equal(after.saw({ startedAt }).inRotation, true);
});

Deno.test("Roster.inherit(): a registration that fits counts as a passed probe, and keeps its since", () => {
  const entries = new Scene().up().roster.entries();
  const scene = new Scene().tick(60_000).inherit(entries).saw();
  assert.equal(scene.roster.judged(), true);
  assert.deepEqual(scene.roster.entries(), entries); // nothing to write
  scene.probe(FAILED, FALL); // but it is probed like any other
  assert.equal(scene.state, "unhealthy");
});

Deno.test("Roster.inherit(): a registration counts only for the life and the endpoint it was made for", () => {
  const value = decodeRegistration(KEY, new Scene().up().roster.entries().get(KEY)!)!;
  const inherited = (registration: Registration, change: Partial<Container> = {}) =>
    new Scene().tick(60_000).inherit(new Map([[KEY, encode(registration)]])).saw(change).state;
  assert.equal(inherited(value), "up");
  assert.equal(inherited({ ...value, address: "172.20.0.9" }), "starting");
  assert.equal(inherited({ ...value, port: 81 }), "starting");
  assert.equal(inherited(value, { startedAt: "2026-11-23T03:00:30Z" }), "starting");
});

Deno.test("Roster.inherit(): every status that still holds keeps its since", () => {
  const scenes = [
    new Scene().saw(),
    new Scene().up().probe(FAILED, FALL),
    new Scene().saw({ networks: [] }),
    new Scene().saw({ health: "starting" }),
  ];
  const paused = new Scene().up();
  paused.hear({ action: "pause" });
  const draining = new Scene().up();
  draining.hear({ action: "kill", signal: 15 });
  const cases: Array<[Scene, Partial<Container>]> = [
    ...scenes.map((scene, i): [Scene, Partial<Container>] => [
      scene,
      i === 2 ? { networks: [] } : i === 3 ? { health: "starting" } : {},
    ]),
    [paused, { paused: true }],
    [draining, {}],
  ];
  for (const [before, change] of cases) {
    const scene = new Scene().tick(5_000).inherit(before.roster.entries()).saw(change);
    assert.deepEqual([scene.status()?.state, scene.status()?.since], [
      before.status()?.state,
      before.status()?.since,
    ]);
  }
});

Deno.test("Roster.inherit(): what was up at another address is starting, not unhealthy, and not up", () => {
  const entries = new Scene().up().roster.entries();
  const networks = [attached("edge", "172.20.0.9")];
  assert.equal(new Scene().tick(60_000).inherit(entries).saw({ networks }).state, "starting");
});

Deno.test("Roster.inherit(): a container that restarts later inherits nothing", () => {
  const scene = new Scene().tick(60_000).inherit(new Scene().up().roster.entries()).saw();
  scene.roster.endInheritance();
  scene.hear({ action: "die" });
  scene.tick().hear({ action: "start" });
  scene.tick().saw({ startedAt: "2026-11-23T03:00:00.000Z" }); // even on a clock that went back
  assert.equal(scene.state, "starting");
});

Deno.test("Roster.inherit(): who was draining goes on draining", () => {
  const before = new Scene().up();
  before.hear({ action: "kill", signal: 15 });
  const scene = new Scene().tick(1_000).inherit(before.roster.entries()).saw().probe();
  assert.deepEqual([scene.state, scene.inRotation], ["draining", false]);
  assert.equal(scene.roster.judged(), true);
});

Deno.test("Roster.inherit(): who was killed in a life of which no event had told goes on draining", () => {
  const before = new Scene().up();
  before.hear({ action: "kill", signal: 15 });
  before.tick(100); // and now it was restarted, unseen
  before.tick(100).hear({ action: "kill", signal: 15 });
  const scene = new Scene().tick(1_000).inherit(before.roster.entries());
  assert.equal(scene.saw({ startedAt: "2026-11-23T03:00:00.102Z" }).state, "draining");
});

Deno.test("Roster.inherit(): whose stop signal was heard only after its next start is not leaving", () => {
  const before = new Scene().up();
  before.tick(200).hear({ action: "kill", signal: 15 }, "c1", START + 50);
  const scene = new Scene().tick(1_000).inherit(before.roster.entries());
  assert.equal(scene.saw({ startedAt: "2026-11-23T03:00:00.100Z" }).state, "starting");
});

Deno.test("Roster.judged(): every endpoint has said something; paused and leaving ones need not", () => {
  const scene = new Scene().saw().saw({ id: "c2" });
  assert.equal(scene.roster.judged(), false);
  scene.hear({ action: "pause" }, "c2");
  assert.equal(scene.probe(FAILED).roster.judged(), true);
});

Deno.test("Roster: memory does not grow with what comes and goes", () => {
  const scene = new Scene();
  for (let i = 0; i < 20_000; i++) {
    const id = `c${i}`;
    scene.tick(10).hear({ action: "start" }, id);
    scene.saw({ id, startedAt: new Date(scene.now).toISOString() }).probe();
    scene.tick(10).hear({ action: "kill", signal: 15 }, id);
    scene.tick(10).hear({ action: "die" }, id);
    scene.hear({ action: "destroy" }, id);
    scene.roster.takeChanged();
    if (i % 1_000 === 0) scene.tick().list([]);
  }
  scene.tick(DEAD_FOR).list([]);
  assert.equal(scene.roster.remembered, 0);
  assert.equal(scene.roster.entries().size, 0);
});

Deno.test("Roster.drained(): who is drained by hand is probed on and comes back at once; its stop signal weighs more", () => {
  const scene = new Scene().saw().probe();
  const since = "2026-11-23T02:00:00.000Z";
  const drain = { since, reason: "new disk" };
  scene.roster.drained(new Map<string, Drain>([["web-c1", drain], ["web-c2", {}]]), scene.now);
  const [[, value] = ["", ""]] = [...scene.roster.entries()];
  assert.deepEqual([...scene.roster.entries().keys()], ["/rollcall/status/h/c1/80"]);
  assert.deepEqual(decodeStatus(value), {
    state: "draining",
    reason: "Drained by hand: new disk. rollcall undrain web-c1 brings it back.",
    since,
    container: "web-c1",
    service: "nginx",
    instance: "h:web-c1:80",
    byHand: true,
  });
  assert.equal(scene.targets.length, 1);

  const before = new Map(scene.roster.entries());
  scene.roster.drained(new Map([["web-c1", drain]]), scene.tick().now);
  assert.deepEqual(scene.roster.entries(), before); // nothing new for who is known

  scene.hear({ action: "kill", signal: 15 });
  const [told] = [...scene.roster.entries().values()].map(decodeStatus);
  assert.match(told!.reason, /stop signal/);
  assert.equal(told!.byHand, undefined);

  const other = new Scene().saw().probe();
  other.roster.drained(new Map([["web-c1", {}]]), other.now);
  other.roster.drained(new Map(), other.tick().now);
  assert.ok(other.roster.entries().has(KEY));
});

Deno.test("Roster.inherit(): who was drained by hand is not leaving: without the key it is back", () => {
  const first = new Scene().saw().probe();
  first.roster.drained(new Map([["web-c1", {}]]), first.now);
  const entries = new Map(
    [...first.roster.entries()].map(([key, value]) => [key, { value, lease: "1" }]),
  );
  const second = new Scene();
  second.roster.inherit(inheritanceIn(entries, "h"), second.now);
  second.saw().probe();
  assert.ok(second.roster.entries().has(KEY));
});

Deno.test("Roster: published ports are registered and probed where the host has them, and have the status of the container's port", () => {
  const tcp = (number: number) => ({ number, protocol: "tcp" }) as const;
  const roster = new Roster({
    ...{ host: "h", networks: ["edge"], explicit: false, tags: [] },
    published: true,
  });
  // Both on the host's port 80, on two of its addresses: the container's ports keep them apart.
  const published = [
    { port: tcp(80), address: "192.0.2.1", hostPort: 80 },
    { port: tcp(81), address: "192.0.2.2", hostPort: 80 },
  ];
  roster.saw(sampleContainer({ exposed: [tcp(80), tcp(81)], published }), START, START);
  const targets = roster.targetsOf("c1");
  assert.deepEqual(targets.map(({ address, port }) => `${address} ${port}`), [
    "192.0.2.1 80",
    "192.0.2.2 80",
  ]);
  roster.probed(targets[0]!, { ...PASSED, took: 1 }, START);
  roster.probed(targets[1]!, { ...FAILED, took: 1 }, START);
  const entries = roster.entries();
  const state = (port: number) =>
    decodeStatus(entries.get(`/rollcall/status/h/c1/${port}`)!)?.state;
  assert.deepEqual([state(80), state(81)], ["up", "starting"]);
  const key = "/services/nginx-80/h:web-c1:80";
  const { address, port } = decodeRegistration(key, entries.get(key)!)!;
  assert.deepEqual([address, port], ["192.0.2.1", 80]);
  assert.ok(!entries.has("/services/nginx-81/h:web-c1:81"));
});

Deno.test("Roster: a status notes what its owner asked for and does not get", () => {
  const scene = new Scene().up({ labels: { SERVICE_CHECK_SCRIPT: "curl x" } });
  const status = decodeStatus(scene.roster.entries().get("/rollcall/status/h/c1/80")!);
  assert.equal(status?.state, "up");
  assert.match(status!.note!, /^SERVICE_CHECK_SCRIPT is not done: /);
});
