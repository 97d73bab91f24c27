// What must hold, all along and after quiet (contracts 1, 3 and 4). Reads the world, changes nothing in it.
import type { Entry } from "../../../discovery/etcd/registry.ts";
import { SERVICES, STATUS } from "../../../discovery/keys.ts";
import { trialAfter } from "../../../discovery/registrator/lives.ts";
import { type Box, UNNOTICED } from "./docker.ts";
import { RELOAD_MIN_INTERVAL, type Rendering } from "./edge.ts";
import type { Kind } from "./schedule.ts";
import type { World } from "./world.ts";

/** Something that must hold does not. */
export class Violation extends Error {}

/** How soon, when nothing is wrong, in ms: into etcd once ready, out of etcd, from etcd to what is live. */
const IN = 2_500;
const OUT = 1_500;
const LIVE = 1_500;
/** Who was told to stop stays out that long at least (its stop grace, and what is left of it after that). */
const STAYS_OUT = 19_000;
/** Who outlives its stop signal is taken back by the first list after stop grace and 10 s. */
const TAKEN_BACK = 20_000 + 33_000;
/** Who has been ready for that long is no longer touched by any fault before. */
const STEADY = 60_000;
/** How long the effects of a change go on. */
const EFFECT: Partial<Record<Kind, number>> = {
  kill: TAKEN_BACK,
  stop: TAKEN_BACK,
  unlisten: 36_000,
};

export class Invariants {
  private problem: string | undefined;
  private gapExcused = -Infinity;
  private causedUntil = Infinity;
  private lastReload = -Infinity;

  constructor(private readonly world: World) {
    world.edge.reloaded = (before, now) => this.reloaded(before, now);
    world.etcd.written = (key, before, after) => this.written(key, before, after);
  }

  /** Everybody runs and is in rotation; else nothing was tested. */
  opened(): void {
    const { docker, edge, clock } = this.world;
    for (const box of docker.boxes) {
      const live = edge.serving?.servers.get(this.world.keyOf(box));
      if (live !== addressOf(box)) throw new Error(`${box.container.name} is not live at first`);
      box.readySince = -Infinity;
    }
    this.causedUntil = clock.now();
  }

  /** A step is about to change something. */
  caused(what: Kind): void {
    const effect = EFFECT[what] ?? 16_000;
    this.causedUntil = Math.max(this.causedUntil, this.world.clock.now() + effect);
  }

  /** What is live may lack somebody for `ms`: it was taken out by hand. */
  excuseGap(ms: number): void {
    this.gapExcused = Math.max(this.gapExcused, this.world.clock.now() + ms);
  }

  /** From then on nothing may happen any more. */
  get quietAt(): number {
    const { registratorTrouble, edgeTrouble, docker, daemon } = this.world;
    const back = docker.boxes.map((box) => leavingUntil(box, daemon.startedAt));
    const sound = registratorTrouble.soundAt;
    const unnoticed = docker.boxes.some((box) => box.unnoticed) ? UNNOTICED : 0;
    return Math.max(this.causedUntil, sound + unnoticed, edgeTrouble.soundAt, ...back) +
      this.longestTrial + IN + LIVE;
  }

  /** Who keeps crashing must prove itself for a while, in ms. */
  private get longestTrial(): number {
    return Math.max(...this.world.docker.boxes.map(({ crashes }) => trialAfter(crashes)));
  }

  /** Throws what was found since the last time. */
  rethrow(): void {
    if (this.problem !== undefined) throw new Violation(this.problem);
  }

  /** All that must hold now. */
  look(): void {
    if (this.causedUntil === Infinity) return; // the opening
    for (const box of this.world.docker.boxes) this.lookAt(box);
    this.lookAtEdge();
  }

  final(): void {
    this.look();
    this.rethrow();
    const { etcd, docker, edge } = this.world;
    const running = docker.boxes.filter(({ container }) => container.running);
    const statuses = [...etcd.keys.keys()].filter((key) => key.startsWith(`${STATUS}h/`));
    const expected = running.map(({ container }) => `${STATUS}h/${container.id}/80`);
    if (statuses.sort().join() !== expected.sort().join()) {
      throw new Violation(`after quiet the statuses are ${statuses}, not ${expected}`);
    }
    const ours = [...etcd.keys.keys()].filter((key) => key.startsWith(`${SERVICES}nginx/h:`));
    const ready = docker.boxes.filter(({ readySince }) => readySince !== undefined);
    const routable = ready.map((box) => this.world.keyOf(box));
    if (ours.sort().join() !== routable.sort().join()) {
      throw new Violation(`after quiet the keys are ${ours}, not ${routable}`);
    }
    if (edge.serving === undefined) throw new Violation("after quiet nginx does not run");
  }

  private lookAt(box: Box): void {
    const { clock, etcd, daemon, registratorTrouble } = this.world;
    const now = clock.now();
    const sound = registratorTrouble.soundAt;
    const { container: { name }, readySince, unreadySince, knownLeavingAt } = box;
    const unnoticed = box.unnoticed ? UNNOTICED : 0;
    const value = etcd.keys.get(this.world.keyOf(box))?.value;
    const there = value !== undefined;
    if (readySince !== undefined) {
      const since = Math.max(readySince, leavingUntil(box, daemon.startedAt), sound);
      if (
        now > since + IN + trialAfter(box.crashes) &&
        !value?.includes(`"address":"${addressOf(box)}"`)
      ) {
        this.found(`${name} has been ready for ${seconds(now - since)} and has no key`);
      }
    } else if (there && now > Math.max(unreadySince, sound) + OUT + unnoticed) {
      const ms = now - Math.max(unreadySince, sound);
      this.found(`${name} has not been ready for ${seconds(ms)} and has a key`);
    }
    if (there && knownLeavingAt !== undefined && now < knownLeavingAt + STAYS_OUT) {
      const since = Math.max(knownLeavingAt, sound);
      if (now > since + OUT) {
        this.found(`${name} was told to stop ${seconds(now - since)} ago and has a key`);
      }
    }
  }

  private lookAtEdge(): void {
    const { clock, etcd, edge, edgeTrouble } = this.world;
    const since = Math.max(etcd.edgeChangedAt, edgeTrouble.soundAt);
    if (clock.now() <= since + LIVE || edge.serving === undefined) return;
    const there = edge.render();
    if (!there.vouched || there.generation === edge.serving.generation) return;
    const ms = clock.now() - since;
    this.found(
      `for ${
        seconds(ms)
      } etcd has said ${there.generation}, and live is ${edge.serving.generation}`,
    );
  }

  private reloaded(before: Rendering | undefined, now: Rendering): void {
    const { clock, edge, docker } = this.world;
    if (before === now) return;
    const gap = edge.lastReload - this.lastReload;
    // A successor of apply does not know when its predecessor reloaded.
    const same = edge.apply.startedAt < this.lastReload;
    if (same && gap > 0 && gap < RELOAD_MIN_INTERVAL) this.found(`two reloads within ${gap} ms`);
    this.lastReload = edge.lastReload;
    if (this.causedUntil === Infinity) return;
    if (!now.vouched) this.found("what nobody vouches for went live");
    if (clock.now() < this.gapExcused) return;
    for (const box of docker.boxes) {
      const key = this.world.keyOf(box);
      const { readySince = Infinity, killedAt, container: { name } } = box;
      if (killedAt !== undefined || readySince > clock.now() - STEADY) continue;
      if (before?.servers.get(key) === addressOf(box) && now.servers.get(key) !== addressOf(box)) {
        this.found(`${name} has been ready all along, and is no longer live`);
      }
    }
  }

  private written(key: string, before: Entry | undefined, after: Entry | undefined): void {
    const { clock, registratorTrouble } = this.world;
    if (before?.value.includes('"host":"other"')) {
      this.found(`another owner's key ${key} was touched`);
    }
    if (this.causedUntil === Infinity) return;
    const sound = Math.max(registratorTrouble.soundAt, this.causedUntil);
    if (before?.value === after?.value && before?.lease === after?.lease) {
      if (clock.now() > registratorTrouble.soundAt) this.found(`${key} was written twice`);
    }
    if (clock.now() > sound + UNNOTICED + this.longestTrial + IN) {
      this.found(`${key} was written although nothing had changed`);
    }
  }

  private found(problem: string): void {
    this.problem ??= problem;
  }
}

function addressOf({ container: { networks } }: Box): string {
  return networks[0]!.address;
}

/** Until then it may be out because it was told to stop, although it goes on. */
function leavingUntil({ killedAt, knownLeavingAt = 0, container }: Box, startedAt: number): number {
  return killedAt === undefined || !container.running
    ? -Infinity
    : Math.max(killedAt, knownLeavingAt, startedAt) + TAKEN_BACK;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
