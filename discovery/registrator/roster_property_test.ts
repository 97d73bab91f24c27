// The state machine against a simulated Docker that lies by delay: whatever comes late, twice or never, after quiet the keys are right.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ContainerEvent } from "../docker/events.ts";
import { nanoseconds } from "../docker/nanoseconds.ts";
import type { Listed } from "../docker/replies.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import type { Container, Health } from "../instance.ts";
import { decodeRegistration, decodeStatus } from "../registration.ts";
import { SURVIVED } from "./departures.ts";
import { inheritanceIn } from "./inheritance.ts";
import { FALL } from "./probing.ts";
import { Roster } from "./roster.ts";
import type { Finding, Target } from "./target.ts";

/** More of them find more: PROPERTY_RUNS=100000 deno test … */
const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 2_000);
const RULES = { host: "h", networks: ["edge"], explicit: false, tags: [] };
const GRACE = 10_000;
/** How long dockerd may take to answer, and how long a list may still show who has ended, in ms. */
const SLOWEST = 9_000;
const LAG = 400;
/** How long who keeps crashing must prove itself at most, in ms. */
const TRIAL = 60_000;
const IDS = ["a", "b", "c", "d"] as const;
type Id = (typeof IDS)[number];

/** A container as it really is. */
interface Real {
  container: Container;
  /** It was sent its stop signal in this life. */
  killed: boolean;
  /** The ports on which it does. */
  readonly listening: Set<number>;
  diedAt: number;
}

const STEPS = [
  ...[
    "start",
    "listen",
    "kill",
    "warn",
    "hup",
    "die",
    "pause",
    "unpause",
    "crash",
    "healthy",
    "unhealthy",
    "move",
  ],
  ...[
    "unseenRestart",
    "hear",
    "hear",
    "hear",
    "lose",
    "hearAgain",
    "askList",
    "giveList",
    "askInspection",
  ],
  ...[
    "giveInspection",
    "giveInspection",
    "askProbe",
    "giveProbe",
    "giveProbe",
    "wait",
    "time",
    "restart",
  ],
] as const;
type Step = readonly [what: (typeof STEPS)[number], who: Id, n: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(...STEPS),
  fc.constantFrom(...IDS),
  fc.nat(5_000),
);

class World {
  now = Date.parse("2026-11-23T03:00:00.000Z");
  roster = new Roster(RULES);
  private readonly real = new Map<Id, Real>();
  private events: ContainerEvent[] = [];
  private heard: ContainerEvent[] = [];
  private toInspect = new Set<string>();
  private lists: Array<{ asOf: number; rows: Listed[] }> = [];
  private inspections: Array<{ asOf: number; id: string; container: Container | undefined }> = [];
  private probes: Array<{ target: Target; finding: Finding }> = [];
  /** Targets whose admission is through: as the prober does, they are not probed again. */
  private admitted = new Set<string>();
  /** Lives that this or an earlier registrator knows to be leaving, until when at least. */
  private leaving = new Map<Id, { life: string; until: number }>();

  constructor() {
    for (const id of IDS) {
      // b has a HEALTHCHECK, c a check that goes on and another stop signal, d several ports.
      const health: Health = id === "b" ? "starting" : "none";
      const container = sampleContainer({
        id,
        name: `web-${id}`,
        health,
        labels: id === "c" ? { SERVICE_CHECK_TCP: "true" } : {},
        exposed: id === "d"
          ? [{ number: 53, protocol: "udp" }, { number: 80, protocol: "tcp" }, {
            number: 81,
            protocol: "tcp",
          }]
          : [{ number: 80, protocol: "tcp" }],
        running: false,
        stopSignal: id === "c" ? 3 : 15,
        stopGrace: GRACE,
      });
      this.real.set(id, { container, killed: false, listening: new Set(), diedAt: -Infinity });
    }
  }

  /** Everybody runs, is known, and is in rotation. */
  open(): void {
    for (const id of IDS) {
      this.now += 1;
      this.start(id);
      this.hear();
      this.inspect([id]);
      for (const n of [1, 2]) this.listen(id, n);
      this.healthy(id);
      this.hear();
      for (const target of this.targets()) this.found(target, this.knock(target));
    }
    assert.equal(this.inRotation().length, IDS.length + 2);
  }

  do([what, who, n]: Step): void {
    this.now += 1;
    const { roster } = this;
    roster.takeChanged();
    const entries = new Map(roster.entries());
    this[what](who, n);
    this.targets();
    if (this.roster === roster && roster.takeChanged().size === 0) {
      assert.deepEqual(roster.entries(), entries, "changed without notice");
    }
    this.check();
  }

  /** Nothing happens any more, all that was said is lost; one list, its inspections, its probes. */
  quiet(): void {
    this.events = [];
    this.now += SLOWEST + GRACE + SURVIVED;
    for (let round = 0; round < 2; round++) {
      this.now += 1;
      this.inspect(this.roster.listed(this.rows(), this.now, this.now).inspect);
      for (let i = 0; i < FALL; i++) {
        for (const target of this.targets()) this.found(target, this.knock(target));
      }
      this.time("a", TRIAL);
    }
  }

  /** What must be in rotation, by the world alone. */
  routable(): readonly string[] {
    return [...this.real.values()].flatMap(({ container, listening }) =>
      container.exposed.filter(({ number, protocol }) =>
        container.running && !container.paused &&
        (protocol === "udp" ||
          (container.health === "none" ? listening.has(number) : container.health === "healthy"))
      ).map(({ number }) => `${container.name} ${container.networks[0]!.address} ${number}`)
    ).sort();
  }

  /** What is in rotation, by the keys. */
  inRotation(): readonly string[] {
    return [...this.roster.entries()].flatMap(([key, value]) => {
      const registration = decodeRegistration(key, value);
      if (!registration) return [];
      return [`${registration.container} ${registration.address} ${registration.port}`];
    }).sort();
  }

  /** Containers that have a status, by the keys, and those that run; once for each port. */
  explained(): [readonly string[], readonly string[]] {
    const statuses = [...this.roster.entries()].flatMap(([key, value]) =>
      key.startsWith("/rollcall/status/") ? [decodeStatus(value)!.container] : []
    );
    const running = [...this.real.values()].filter(({ container }) => container.running);
    const ports = running.flatMap(({ container }) => container.exposed.map(() => container.name));
    return [statuses.sort(), ports.sort()];
  }

  private check(): void {
    const routed = new Set(this.inRotation().map((line) => line.split(" ")[0]));
    for (const [id, { life, until }] of this.leaving) {
      const { container } = this.real.get(id)!;
      if (life !== container.startedAt || this.now >= until) this.leaving.delete(id);
      else assert.ok(!routed.has(container.name), `${id} is leaving, and in rotation`);
    }
  }

  private start(id: Id): void {
    const real = this.real.get(id)!;
    if (real.container.running) return;
    const startedAt = new Date(this.now).toISOString();
    const health: Health = id === "b" ? "starting" : "none";
    const networks = [
      attached("edge", this.real.get(id)!.container.networks[0]!.address, startedAt),
    ];
    this.change(id, { running: true, paused: false, startedAt, health, networks });
    real.killed = false;
    real.listening.clear();
    this.happened({ action: "start", ...this.about(id) });
  }

  /** Only c has a check that goes on: where nobody looks any more, it does not stop listening. */
  private listen(id: Id, n: number): void {
    const { listening } = this.real.get(id)!;
    const port = id === "d" && n % 2 ? 81 : 80;
    if (n % 4 !== 0) listening.add(port);
    else if (id === "c") listening.delete(port);
  }

  /** It crashes and is started again, as a restart policy does; all of it is heard. */
  private crash(id: Id, n: number): void {
    for (let i = 0; i < n % 5; i++) {
      this.now += n;
      this.die(id);
      this.now += 100;
      this.start(id);
      while (this.events.length > 0) this.hear();
      this.inspect([id]);
    }
  }

  /** It ends and starts, with the same address, and no event tells of it. */
  private unseenRestart(id: Id): void {
    this.events = [];
    this.die(id);
    this.start(id);
    this.events = [];
  }

  private kill(id: Id): void {
    const real = this.real.get(id)!;
    if (!real.container.running) return;
    real.killed = true;
    this.happened({ action: "kill", signal: real.container.stopSignal, ...this.about(id) });
  }

  /** The hook before the stop signal begins; the signal may come or not. */
  private warn(id: Id): void {
    const real = this.real.get(id)!;
    if (!real.container.running) return;
    real.killed = true;
    this.happened({ action: "drain", command: "sleep 2", ...this.about(id) });
  }

  private hup(id: Id): void {
    if (this.real.get(id)!.container.running) {
      this.happened({ action: "kill", signal: 1, ...this.about(id) });
    }
  }

  private die(id: Id): void {
    const real = this.real.get(id)!;
    if (!real.container.running) return;
    this.change(id, { running: false });
    real.diedAt = this.now;
    this.happened({ action: "die", ...this.about(id) });
  }

  private pause(id: Id): void {
    const { running, paused } = this.real.get(id)!.container;
    if (!running || paused) return;
    this.change(id, { paused: true });
    this.happened({ action: "pause", ...this.about(id) });
  }

  private unpause(id: Id): void {
    const { running, paused } = this.real.get(id)!.container;
    if (!running || !paused) return;
    this.change(id, { paused: false });
    this.happened({ action: "unpause", ...this.about(id) });
  }

  private healthy(id: Id): void {
    this.health(id, "healthy");
  }

  private unhealthy(id: Id): void {
    this.health(id, "unhealthy");
  }

  private health(id: Id, health: Health): void {
    const { container } = this.real.get(id)!;
    if (
      !container.running || container.paused || container.health === "none" ||
      container.health === health
    ) return;
    this.change(id, { health });
    this.happened({ action: "health", health, ...this.about(id) });
  }

  private move(id: Id, n: number): void {
    if (!this.real.get(id)!.container.running) return;
    this.change(id, {
      networks: [attached("edge", `10.${IDS.indexOf(id)}.0.${1 + n % 3}`, String(this.now))],
    });
    this.happened({ action: "networks", ...this.about(id) });
  }

  private hear(): void {
    const event = this.events.shift();
    if (!event) return;
    this.heard.push(event);
    if (this.roster.heard(event, this.now)) this.toInspect.add(event.id);
    const { container } = this.real.get(event.id as Id)!;
    const ofThisLife = event.at > nanoseconds(container.startedAt);
    const leaves = event.action === "drain" ||
      (event.action === "kill" && event.signal === container.stopSignal);
    if (leaves && ofThisLife) {
      this.leaving.set(event.id as Id, { life: container.startedAt, until: this.now + SURVIVED });
    }
    if (event.action === "die" && ofThisLife) {
      this.leaving.set(event.id as Id, { life: container.startedAt, until: Infinity });
    }
  }

  private lose(): void {
    this.events.shift();
  }

  private hearAgain(_: Id, n: number): void {
    const event = this.heard[n % (this.heard.length || 1)];
    if (event && this.roster.heard(event, this.now)) this.toInspect.add(event.id);
  }

  private askList(): void {
    this.lists.push({ asOf: this.now, rows: this.rows() });
  }

  private giveList(_: Id, n: number): void {
    const [list] = this.lists.splice(n % (this.lists.length || 1), 1);
    if (!list || this.now - list.asOf > SLOWEST) return;
    for (const id of this.roster.listed(list.rows, list.asOf, this.now).inspect) {
      this.toInspect.add(id);
    }
  }

  private askInspection(): void {
    const [id] = this.toInspect;
    if (id === undefined) return;
    this.toInspect.delete(id);
    this.inspections.push({ asOf: this.now, id, container: this.real.get(id as Id)!.container });
  }

  private giveInspection(_: Id, n: number): void {
    const [inspection] = this.inspections.splice(n % (this.inspections.length || 1), 1);
    if (!inspection?.container || this.now - inspection.asOf > SLOWEST) return;
    this.roster.saw(inspection.container, inspection.asOf, this.now);
  }

  private askProbe(_: Id, n: number): void {
    const targets = this.targets();
    const target = targets[n % (targets.length || 1)];
    if (target) this.probes.push({ target, finding: this.knock(target) });
  }

  private giveProbe(_: Id, n: number): void {
    const [probe] = this.probes.splice(n % (this.probes.length || 1), 1);
    if (probe) this.found(probe.target, probe.finding);
  }

  private targets(): readonly Target[] {
    const targets = IDS.flatMap((id) => this.roster.targetsOf(id));
    const names = new Set(targets.map(({ name }) => name));
    for (const name of this.admitted) if (!names.has(name)) this.admitted.delete(name);
    return targets.filter(({ name }) => !this.admitted.has(name));
  }

  private found(target: Target, finding: Finding): void {
    if (!this.targets().some(({ name }) => name === target.name)) return; // its loop has ended
    const phase = this.roster.probed(target, { ...finding, took: 1 }, this.now);
    if (phase === "passing" && target.check.interval === 0) this.admitted.add(target.name);
  }

  /** Time passes, and the roster is told. */
  private time(_: Id, n: number): void {
    this.now += n;
    const { due } = this.roster;
    if (due !== undefined && due <= this.now) this.roster.passed(this.now);
    assert.ok((this.roster.due ?? Infinity) > this.now, "told of a time that is over");
  }

  private wait(_: Id, n: number): void {
    this.now += n;
  }

  /** The registrator is restarted: all that was under way is lost, what stands in etcd is inherited. */
  private restart(): void {
    const entries = this.roster.entries();
    const stored = new Map([...entries].map(([key, value]) => [key, { value, lease: "1" }]));
    const inheritance = inheritanceIn(stored, RULES.host);
    this.roster = new Roster(RULES);
    this.roster.inherit(inheritance, this.now);
    this.events = [];
    this.heard = [];
    this.lists = [];
    this.inspections = [];
    this.probes = [];
    this.admitted.clear();
    this.toInspect.clear();
    for (const id of this.leaving.keys()) {
      if (!inheritance.draining.has(id)) this.leaving.delete(id);
    }
    this.inspect(this.roster.listed(this.rows(), this.now, this.now).inspect);
    this.roster.endInheritance();
  }

  private inspect(ids: Iterable<string>): void {
    this.now += 1;
    for (const id of ids) this.roster.saw(this.real.get(id as Id)!.container, this.now, this.now);
  }

  private rows(): Listed[] {
    return [...this.real.values()]
      .filter(({ container, diedAt }) => container.running || this.now < diedAt + LAG)
      .map(({ container: { id, name, paused, health, networks } }) => (
        { id, name, running: true, paused, health: paused ? "none" : health, networks }
      ));
  }

  private knock({ address, containerId, port }: Target): Finding {
    const { container, listening } = this.real.get(containerId as Id)!;
    const ok = container.running && !container.paused && listening.has(port) &&
      container.networks[0]!.address === address;
    return { ok, detail: ok ? "connected" : "connection refused" };
  }

  private change(id: Id, change: Partial<Container>): void {
    const real = this.real.get(id)!;
    real.container = { ...real.container, ...change };
  }

  private about(id: Id) {
    return { id, name: `web-${id}`, at: BigInt(this.now) * 1_000_000n + 1n };
  }

  private happened(event: ContainerEvent): void {
    this.events.push(event);
  }
}

Deno.test("Roster, whatever comes late, twice or never: who leaves stays out, and after quiet the keys equal the routable set", () => {
  let routed = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: "max" }), (steps) => {
      const world = new World();
      world.open();
      for (const step of steps) world.do(step);
      world.quiet();
      assert.deepEqual(world.inRotation(), world.routable());
      assert.deepEqual(...world.explained());
      routed += world.routable().length;
    }),
    { numRuns: RUNS },
  );
  assert.ok(routed > RUNS / 2, `the world was too quiet: ${routed}`);
});
