// One simulated machine from its opening to its quiet end. Owns how the parts meet and time passes; what must hold is in invariants.ts.
import { Daemon } from "./daemon.ts";
import { type Box, SimulatedDocker } from "./docker.ts";
import { DockerPath } from "./docker_view.ts";
import { Edge, type Mistakes } from "./edge.ts";
import { SimulatedEtcd } from "./etcd.ts";
import { EFFECTS, HEALS } from "./faults.ts";
import { Invariants, Violation } from "./invariants.ts";
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
  /** Simulated time, in ms. */
  readonly lasted: number;
  readonly timeline: readonly Happened[];
}

/** Another host's instance: never ours to touch. */
export const THEIRS = "/services/nginx/other:web:80";
/** How often what must hold is looked at, in ms; every change of what is live is looked at besides. */
const LOOK = 500;
/** How long everybody gets to be in rotation before anything happens, in ms. */
const OPENING = 3_000;

export class World {
  readonly clock = new VirtualClock();
  readonly docker: SimulatedDocker;
  readonly path: DockerPath;
  readonly etcd: SimulatedEtcd;
  readonly edge: Edge;
  readonly daemon: Daemon;
  readonly registratorTrouble = new Trouble();
  readonly edgeTrouble = new Trouble();
  private readonly invariants: Invariants;
  private readonly timeline: Happened[] = [];
  /** When the opening ends. */
  private opened = 0;
  private woken = false;

  constructor(
    private readonly schedule: Schedule,
    private readonly options: { readonly mistakes?: Mistakes; readonly tell?: boolean } = {},
  ) {
    const { clock } = this;
    const random = new Random(schedule.seed);
    this.docker = new SimulatedDocker(clock, random.fork());
    this.path = new DockerPath(clock, this.docker, random.fork(), (event) => {
      const box = this.docker.box(event.id)!;
      const { container } = box;
      if (event.action !== "kill" || event.signal !== container.stopSignal) return;
      if (box.killedAt !== undefined && Number(event.at / 1_000_000n) >= box.killedAt) {
        box.knownLeavingAt = clock.now();
      }
    });
    this.path.lost = () => this.registratorTrouble.excuse(clock.now() + HEALS.resync);
    this.etcd = new SimulatedEtcd(clock, random.fork());
    // A write that is overtaken by a later one leaves a wrong key until somebody looks at the revision.
    this.etcd.late = () => this.registratorTrouble.excuse(clock.now() + HEALS.etcd);
    this.edge = new Edge(clock, this.etcd, random.fork(), options.mistakes ?? {});
    this.edge.missed = () => this.edgeTrouble.excuse(clock.now() + HEALS.sweep);
    const woken = () => this.woken = true;
    const { docker, path, etcd } = this;
    this.daemon = new Daemon({ clock, docker, path, etcd, random: random.fork(), woken });
    this.invariants = new Invariants(this);
    if (options.tell) this.listen();
  }

  /** Runs the whole schedule, and on until everything must be right. */
  async run(): Promise<Outcome> {
    let violation: string | undefined;
    const chance = Math.random; // the pauses between tries hang on it
    Math.random = new Random(this.schedule.seed).next;
    try {
      await this.open();
      for (const { at, what, who, n } of this.schedule.steps) {
        await this.passUntil(this.opened + at);
        this.tell(`${what} ${this.docker.boxes[who]!.container.name} n=${n}`);
        this.invariants.caused(what);
        EFFECTS[what](this, who, n);
      }
      await this.quiet();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      violation = error.message;
      this.tell(`VIOLATION: ${violation}`);
    } finally {
      Math.random = chance;
    }
    return { violation, lasted: this.clock.now() - this.opened, timeline: this.timeline };
  }

  box(who: number): Box {
    return this.docker.boxes[who]!;
  }

  /** Something is wrong for `ms`, and healed within the given times after that. */
  during(
    ms: number,
    heals: { readonly registrator?: number; readonly edge?: number },
    change: (on: boolean) => void = () => {},
  ): void {
    const { clock, registratorTrouble, edgeTrouble } = this;
    const { registrator, edge } = heals;
    if (registrator !== undefined) registratorTrouble.begin();
    if (edge !== undefined) edgeTrouble.begin();
    change(true);
    clock.in(ms, () => {
      if (ms > 0) this.tell("… over");
      change(false);
      if (registrator !== undefined) registratorTrouble.end(clock.now(), registrator);
      if (edge !== undefined) edgeTrouble.end(clock.now(), edge);
    });
  }

  etcdBack(): void {
    this.etcd.back();
  }

  unstick(): void {
    this.edge.unstick();
  }

  /** Somebody writes a key of ours, or deletes it. */
  byHand(who: number, value: string | undefined): void {
    const key = this.keyOf(this.box(who));
    if (!this.etcd.keys.has(key) || !this.etcd.reachable) return;
    this.etcd.put(key, value);
    this.invariants.excuseGap(HEALS.etcd + HEALS.sweep);
    this.during(0, { registrator: HEALS.etcd });
  }

  /** The registrator of another host writes. */
  otherHost(id: string, address: string): void {
    if (this.etcd.reachable) this.etcd.put(`/services/burst/${id}`, theirs(address));
  }

  killNginx(downFor: number): void {
    if (this.edge.serving === undefined) return;
    this.edge.restart(downFor);
    this.invariants.excuseGap(downFor + HEALS.sweep);
    this.during(downFor, { edge: HEALS.helper });
  }

  keyOf({ container: { name } }: Box): string {
    return `/services/nginx/h:${name}:80`;
  }

  tell(what: string): void {
    if (this.options.tell) this.timeline.push({ at: this.clock.now() - this.opened, what });
  }

  private async open(): Promise<void> {
    const { clock, docker, edge, etcd, daemon, invariants } = this;
    this.opened = clock.now() + OPENING;
    const look = () => {
      invariants.look();
      clock.in(LOOK, look);
    };
    look();
    etcd.put(THEIRS, theirs("10.9.9.9"));
    edge.start();
    daemon.start();
    for (const box of docker.boxes) {
      docker.start(box, false);
      docker.listen(box, true);
      docker.health(box, "healthy");
    }
    await this.passUntil(this.opened);
    invariants.opened();
  }

  /** Nothing happens any more, until all must be healed. */
  private async quiet(): Promise<void> {
    while (true) {
      const sound = this.invariants.quietAt;
      if (this.clock.now() >= sound) break;
      await this.passUntil(Math.min(sound, this.clock.now() + 5_000));
    }
    this.invariants.final();
  }

  private async passUntil(end: number): Promise<void> {
    const { clock, invariants } = this;
    while (clock.next(end)) {
      if (this.woken) {
        this.woken = false;
        await settled();
      }
      invariants.rethrow();
    }
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

/** Everything that is ready to run has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A value as another host's registrator wrote it, of an earlier version maybe. */
function theirs(address: string): string {
  return JSON.stringify({
    ...{ address, port: 80, protocol: "tcp", weight: 1, tags: [], attrs: {} },
    ...{ host: "other", container: "web", image: "nginx", routes: [] },
    since: "2026-11-23T02:00:00.000Z",
  });
}
