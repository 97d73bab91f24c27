// One simulated machine from its opening to its quiet end. Owns how the parts meet and time passes; what must hold is in invariants.ts.
import { drainKey } from "../../../discovery/keys.ts";
import { Daemon, TTL } from "./daemon.ts";
import { type Box, SimulatedDocker } from "./docker.ts";
import { DockerPath } from "./docker_view.ts";
import { Edge, type Mistakes } from "./edge.ts";
import { SimulatedEtcd } from "./etcd.ts";
import { effective, EFFECTS, HEALS } from "./faults.ts";
import { Invariants, Violation } from "./invariants.ts";
import { LeanAbortController } from "./lean_abort_controller.ts";
import { runMicrotasks } from "./microtasks.ts";
import { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";
import { Trouble } from "./trouble.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Something that happened, for the timeline; ms since the opening. */
export interface Happened {
  readonly at: number;
  readonly what: string;
}

export interface Outcome {
  readonly violation: string | undefined;
  /** How many rests are over. */
  readonly rests: number;
  /** Simulated time, in ms. */
  readonly lasted: number;
  readonly timeline: readonly Happened[];
}

/** Another host's instance: never ours to touch. */
export const THEIRS = "/services/nginx/other:web:80";
const THEIR_ADDRESS = "10.9.9.9";
const BURST = "/services/burst/";
/** How often the other host's registrator looks, in ms: a third of the TTL. */
const LOOK = TTL * 1000 / 3;
/** How long everybody gets to be in rotation before anything happens, in ms. */
const OPENING = 3_000;

/** How long all must seem well after a fault, in ms: longer than the longest pause before another try at writing. */
const SURE = 2_200;

/** Within what time something is healed, in ms; known at the end only, where it is a function. */
type Heals = number | (() => number);

export class World {
  readonly clock = new VirtualClock(() => this.invariants.look());
  readonly docker: SimulatedDocker;
  readonly path: DockerPath;
  readonly etcd: SimulatedEtcd;
  readonly edge: Edge;
  readonly daemon: Daemon;
  readonly registratorTrouble = new Trouble();
  readonly edgeTrouble = new Trouble();
  private readonly invariants: Invariants;
  private readonly timeline: Happened[] = [];
  private readonly begun = this.clock.now() + OPENING;
  /** When the last opening or rest ended. */
  private opened = this.begun;
  private rests = 0;
  /** When the last event did not arrive. */
  eventLostAt = -Infinity;
  /** Since when apply may be failing, again and again. */
  private edgeFailsSince = -Infinity;
  private woken = false;
  /** What the other host has registered. */
  private readonly othersKeys = new Map([[THEIRS, theirs(THEIR_ADDRESS)]]);
  /** How much of the steps so far is still to come. */
  private underWay = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly options: { readonly mistakes?: Mistakes; readonly tell?: boolean } = {},
  ) {
    const { clock } = this;
    const random = new Random(schedule.seed);
    this.docker = new SimulatedDocker(clock, random.fork());
    this.path = new DockerPath(clock, this.docker, random.fork(), (event) => {
      const box = this.docker.box(event.id);
      if (!box || event.action !== "kill" || event.signal !== box.container.stopSignal) return;
      if (box.killedAt !== undefined && Number(event.at / 1_000_000n) >= box.killedAt) {
        box.knownLeavingAt = clock.now();
      }
    });
    this.path.lost = () => {
      this.eventLostAt = clock.now();
      this.registratorTrouble.excuse(clock.now() + HEALS.resync);
    };
    this.etcd = new SimulatedEtcd(clock, random.fork());
    // A write that is overtaken by a later one leaves a wrong key until somebody looks at the revision.
    this.etcd.drains = () => {
      for (const box of this.docker.boxes) {
        this.docker.drain(box, this.etcd.keys.has(drainKey("h", box.container.name)));
      }
    };
    this.etcd.late = () => this.registratorTrouble.excuse(clock.now() + HEALS.etcd);
    this.edge = new Edge(clock, this.etcd, random.fork(), options.mistakes ?? {});
    this.edge.missed = () => this.edgeTrouble.excuse(clock.now() + HEALS.sweep);
    const woken = () => this.woken = true;
    const { docker, path, etcd } = this;
    this.daemon = new Daemon({ clock, docker, path, etcd, random: random.fork(), woken });
    this.invariants = new Invariants(this);
    if (options.tell) this.listen();
  }

  /** Runs the whole schedule, and on until everything must be right. Not to be called by a promise: see `microtasks.ts`. */
  run(): Outcome {
    let violation: string | undefined;
    const before = { AbortController: globalThis.AbortController, random: Math.random };
    Math.random = new Random(this.schedule.seed).next; // the pauses between tries hang on it
    globalThis.AbortController = LeanAbortController as unknown as typeof AbortController;
    try {
      this.open();
      for (const { at, what: meant, who, n } of this.schedule.steps) {
        this.passUntil(this.opened + at);
        const what = effective(meant, this.box(who));
        if (this.options.tell) this.tell(`${what} ${this.box(who).container.name} n=${n}`);
        this.invariants.caused(what);
        EFFECTS[what](this, who, n);
        this.settle();
      }
      this.quiet();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      violation = error.message;
      this.tell(`VIOLATION: ${violation}`);
    } finally {
      Math.random = before.random;
      globalThis.AbortController = before.AbortController;
    }
    const { rests, timeline } = this;
    return { violation, rests, lasted: Math.max(0, this.clock.now() - this.begun), timeline };
  }

  box(who: number): Box {
    return this.docker.boxes[who]!;
  }

  /** Something is wrong for `ms`, and healed within the given times after that. */
  during(
    ms: number,
    heals: { readonly registrator?: Heals; readonly edge?: Heals },
    change: (on: boolean) => void = () => {},
  ): void {
    const { clock, registratorTrouble, edgeTrouble } = this;
    const { registrator, edge } = heals;
    change(true);
    if (registrator !== undefined) registratorTrouble.begin();
    if (edge !== undefined) edgeTrouble.begin();
    this.later(ms, () => {
      if (ms > 0) this.tell("… over");
      change(false);
      if (registrator !== undefined) registratorTrouble.end(clock.now(), inMs(registrator));
      if (edge !== undefined) edgeTrouble.end(clock.now(), inMs(edge));
    });
  }

  /** A step goes on. */
  later(ms: number, run: () => void): void {
    this.underWay++;
    this.clock.in(ms, () => {
      this.underWay--;
      run();
    });
  }

  /** The edge cannot apply anything from now on. */
  edgeFails(): void {
    if (this.clock.now() > this.edgeTrouble.soundAt) this.edgeFailsSince = this.clock.now();
  }

  /** How long it may be until apply tries again: about as long as it has failed, 30 s at most. */
  edgeRetries(): number {
    return Math.min(30_000, 2 * (this.clock.now() - this.edgeFailsSince) + 600);
  }

  etcdBack(): void {
    this.etcd.back();
  }

  unstick(): void {
    this.edge.unstick();
  }

  /** Somebody writes a key of ours, or deletes it. */
  byHand(who: number, value: string | undefined): void {
    const { key } = this.box(who);
    if (!this.etcd.keys.has(key) || !this.etcd.reachable) return;
    this.etcd.put(key, value);
    this.invariants.excuseGap(key, HEALS.etcd + HEALS.sweep);
    this.during(0, { registrator: HEALS.etcd });
  }

  /** The registrator of another host writes. */
  otherHost(id: string, address: string): void {
    this.othersKeys.set(`${BURST}${id}`, theirs(address));
    if (this.etcd.reachable) this.etcd.put(`${BURST}${id}`, theirs(address));
  }

  /**
   * The other host's registrator writes anew what etcd has lost of it, at its own next look. It vouches for
   * nothing: the edge is to believe nobody but ours.
   */
  private otherHostLooks(): void {
    for (const [key, value] of this.othersKeys) {
      if (this.etcd.reachable && !this.etcd.keys.has(key)) this.etcd.put(key, value);
    }
    this.clock.in(LOOK, () => this.otherHostLooks());
  }

  /** Somebody takes it out of rotation by hand, or back. */
  drain(who: number, drained: boolean): void {
    const { etcd } = this;
    const key = drainKey("h", this.box(who).container.name);
    if (etcd.reachable && etcd.keys.has(key) !== drained) etcd.put(key, drained ? "{}" : undefined);
  }

  killNginx(downFor: number): void {
    if (this.edge.serving === undefined) return;
    this.edge.restart(downFor);
    for (const { key } of this.docker.boxes) {
      this.invariants.excuseGap(key, downFor + HEALS.sweep);
    }
    this.during(downFor, { edge: HEALS.helper });
  }

  tell(what: string): void {
    if (this.options.tell) this.timeline.push({ at: this.clock.now() - this.begun, what });
  }

  /**
   * Until all is well again. A long rest waits for everything to heal by itself first, and then everybody is in
   * rotation again; a short one leaves those who have ended as they are.
   */
  rest(long: boolean): void {
    const { clock, docker, etcd, invariants } = this;
    if (long) this.quiet();
    while (this.underWay > 0) this.passUntil(clock.now() + 200);
    invariants.caused("start");
    for (const who of docker.boxes.keys()) this.drain(who, false);
    for (const key of long ? [...this.othersKeys.keys()] : []) {
      if (!key.startsWith(BURST)) continue;
      this.othersKeys.delete(key);
      etcd.put(key, undefined);
    }
    for (const box of docker.boxes) {
      const { container: { running }, crashes, killedAt } = box;
      if (crashes > 1 || (long && (!running || crashes > 0))) docker.replace(box);
      else if (killedAt !== undefined) docker.die(box);
      docker.heal(box);
    }
    const sure = this.registratorTrouble.soundAt === -Infinity ? 0 : SURE;
    let { calm } = this;
    while (!calm && clock.now() < invariants.quietAt) {
      this.passUntil(clock.now() + 200);
      calm = this.calm;
      if (!calm || sure === 0) continue;
      this.passUntil(clock.now() + sure);
      calm = this.calm;
    }
    if (!calm) invariants.final();
    for (const trouble of [this.registratorTrouble, this.edgeTrouble]) trouble.clear();
    this.eventLostAt = -Infinity;
    invariants.opened();
    this.opened = clock.now();
    this.rests++;
  }

  /** Whether nothing is left to come of all that has happened: nobody works at anything, and all is as it should be. */
  private get calm(): boolean {
    const { clock, docker, path, daemon, edge, invariants } = this;
    return this.underWay === 0 && path.caughtUp && daemon.idle && edge.idle && invariants.allLive &&
      clock.now() > docker.answersUntil && invariants.disagreement === undefined;
  }

  private open(): void {
    const { clock, docker, edge, etcd, daemon, invariants } = this;
    for (const [key, value] of this.othersKeys) etcd.put(key, value);
    clock.in(this.schedule.seed % LOOK, () => this.otherHostLooks());
    edge.start();
    daemon.start();
    for (const box of docker.boxes) {
      docker.start(box, false);
      docker.heal(box);
    }
    this.passUntil(this.opened);
    invariants.opened();
  }

  /** Nothing happens any more, until all must be healed. */
  private quiet(): void {
    while (true) {
      const sound = this.invariants.quietAt;
      if (this.clock.now() >= sound) break;
      this.passUntil(Math.min(sound, this.clock.now() + 5_000));
    }
    this.invariants.final();
  }

  private passUntil(end: number): void {
    const { clock, invariants } = this;
    while (clock.next(end)) {
      this.settle();
      invariants.rethrow();
    }
  }

  /** Real code does what it has to do before time passes. */
  private settle(): void {
    if (!this.woken) return;
    this.woken = false;
    runMicrotasks();
  }

  private listen(): void {
    const { docker, edge } = this;
    const send = docker.listener;
    docker.listener = (event) => {
      const signal = event.action === "kill" ? ` ${event.signal}` : "";
      this.tell(`docker: ${event.action}${signal} ${event.name}`);
      send(event);
    };
    const reloaded = edge.reloaded;
    edge.reloaded = (before, now) => {
      this.tell(`live: ${[...now.servers.keys()].map((key) => key.split("/")[3]).join(" ")}`);
      reloaded(before, now);
    };
    const written = this.etcd.written;
    this.etcd.written = (key, before, after) => {
      const state = /"state":"(\w+)"/.exec(after?.value ?? "")?.[1] ?? "";
      this.tell(`registrator: ${after ? "put" : "delete"} ${key} ${state}`);
      written(key, before, after);
    };
  }
}

function inMs(heals: Heals): number {
  return typeof heals === "number" ? heals : heals();
}

/** A value as another host's registrator wrote it, of an earlier version maybe. */
function theirs(address: string): string {
  return JSON.stringify({
    ...{ address, port: 80, protocol: "tcp", weight: 1, tags: [], attrs: {} },
    ...{ host: "other", container: "web", image: "nginx", routes: [] },
    since: "2026-11-23T02:00:00.000Z",
  });
}
