// What must hold, all along and after quiet (contracts 1, 3 and 4). Reads the world, changes nothing in it.
import type { Entry } from "../../../discovery/etcd/registry.ts";
import { SERVICES, STATUS } from "../../../discovery/keys.ts";
import { trialAfter } from "../../../discovery/registrator/lives.ts";
import { type Box, UNNOTICED } from "./docker.ts";
import { RELOAD_MIN_INTERVAL, type Rendering } from "./edge.ts";
import { HEALS } from "./faults.ts";
import type { Kind } from "./schedule.ts";
import { THEIRS, type World } from "./world.ts";

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
const OUR_STATUSES = `${STATUS}h/`;
const OUR_SERVICE = `${SERVICES}nginx/h:`;
/** How long the effects of a change go on, where it is not over at once. */
const EFFECT: Partial<Record<Kind, number>> = {
  stop: 10_000,
  burst: 1_000,
  unlisten: UNNOTICED,
};

export class Invariants {
  private problem: string | undefined;
  /** Who may be missing in what is live, by key, and until when if nothing is wrong then. */
  private readonly gaps = new Map<string, number>();
  private causedUntil = Infinity;
  private lastReload = -Infinity;
  /** Since when the other host's instance stood in etcd when etcd lost it last, and when that was. */
  private theirsSince = -Infinity;
  private theirsGoneAt = -Infinity;
  private theirsThere = false;

  constructor(private readonly world: World) {
    world.edge.reloaded = (before, now) => this.reloaded(before, now);
    world.etcd.written = (key, before, after) => this.written(key, before, after);
  }

  /** Everybody who is ready is live, and not only because the edge keeps what it has; nobody else is. */
  get allLive(): boolean {
    const { docker: { boxes }, edge: { serving }, etcd } = this.world;
    return boxes.every((box) => {
      const address = serving?.servers.get(box.key);
      if (box.readySince === undefined) return address === undefined;
      return etcd.keys.has(box.key) && address === addressOf(box);
    });
  }

  /** All is well, and nothing is excused any more. */
  opened(): void {
    const { docker, clock } = this.world;
    if (!this.allLive) throw new Violation("at the opening not everybody who is ready is live");
    for (const box of docker.boxes) if (box.readySince !== undefined) box.readySince = -Infinity;
    this.gaps.clear();
    this.causedUntil = clock.now();
  }

  /** A step is about to change something. */
  caused(what: Kind): void {
    const effect = EFFECT[what] ?? 500;
    this.causedUntil = Math.max(this.causedUntil, this.world.clock.now() + effect);
  }

  /** What is live may lack it for `ms`, or for as long as other things are wrong: it was taken out by hand. */
  excuseGap(key: string, ms: number): void {
    this.gaps.set(key, Math.max(this.gaps.get(key) ?? -Infinity, this.world.clock.now() + ms));
  }

  /** From then on nothing may happen any more. */
  get quietAt(): number {
    const { registratorTrouble, edgeTrouble, docker } = this.world;
    const sound = registratorTrouble.soundAt;
    const unnoticed = docker.boxes.some((box) => box.unnoticed) ? UNNOTICED : 0;
    return Math.max(this.settledAt, sound + unnoticed, edgeTrouble.soundAt) + this.longestTrial +
      IN + LIVE;
  }

  /** From then on the changes have had their effects, if nothing is wrong. */
  private get settledAt(): number {
    const { docker, daemon } = this.world;
    let at = this.causedUntil;
    for (const box of docker.boxes) at = Math.max(at, leavingUntil(box, daemon.startedAt));
    return at;
  }

  /** Who keeps crashing must prove itself for a while, in ms. */
  private get longestTrial(): number {
    let most = 0;
    for (const { crashes } of this.world.docker.boxes) most = Math.max(most, crashes);
    return trialAfter(most);
  }

  /** Throws what was found since the last time. */
  rethrow(): void {
    if (this.problem !== undefined) throw new Violation(this.problem);
  }

  /** All that must hold now. */
  look(): void {
    if (this.causedUntil === Infinity) return; // the opening
    const { clock, docker, etcd, registratorTrouble } = this.world;
    const now = clock.now();
    const there = etcd.keys.has(THEIRS);
    if (this.theirsThere && !there) this.theirsGoneAt = now;
    if (!this.theirsThere && there) this.theirsSince = now;
    this.theirsThere = there;
    const sound = registratorTrouble.soundAt;
    if (now > sound + OUT) { for (const box of docker.boxes) this.lookAt(box, now, sound); }
    this.lookAtEdge(now);
  }

  final(): void {
    this.look();
    this.rethrow();
    const { disagreement } = this;
    if (disagreement !== undefined) throw new Violation(`after quiet ${disagreement}`);
    if (this.world.edge.serving === undefined) {
      throw new Violation("after quiet nginx does not run");
    }
  }

  /** How etcd differs from what Docker knows; undefined where it does not. */
  get disagreement(): string | undefined {
    const { etcd, docker: { boxes } } = this.world;
    const statuses: string[] = [];
    const ours: string[] = [];
    for (const key of etcd.keys.keys()) {
      if (key.startsWith(OUR_STATUSES)) statuses.push(key);
      else if (key.startsWith(OUR_SERVICE)) ours.push(key);
    }
    const running = boxes.filter(({ container }) => container.running);
    const known = running.map(({ container }) => `${OUR_STATUSES}${container.id}/80`);
    if (!sameKeys(statuses, known)) return `the statuses are ${statuses}, not ${known}`;
    const routable = boxes.filter(({ readySince }) => readySince !== undefined).map(({ key }) =>
      key
    );
    return sameKeys(ours, routable) ? undefined : `the keys are ${ours}, not ${routable}`;
  }

  private lookAt(box: Box, now: number, sound: number): void {
    const { etcd, daemon } = this.world;
    const { container: { name }, readySince, unreadySince, knownLeavingAt } = box;
    const unnoticed = box.unnoticed ? UNNOTICED : 0;
    const value = etcd.keys.get(box.key)?.value;
    const there = value !== undefined;
    if (readySince !== undefined) {
      const since = Math.max(readySince, leavingUntil(box, daemon.startedAt), sound);
      if (
        now > since + IN + trialAfter(box.crashes) && !value?.startsWith(box.valueBegins)
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

  private lookAtEdge(now: number): void {
    const { etcd, edge, edgeTrouble } = this.world;
    const since = Math.max(etcd.edgeChangedAt, edgeTrouble.soundAt);
    if (now <= since + LIVE || edge.serving === undefined) return;
    const there = edge.content();
    if (!there.vouched || there.generation === edge.serving.generation) return;
    const ms = now - since;
    this.found(
      `for ${
        seconds(ms)
      } etcd has said ${there.generation}, and live is ${edge.serving.generation}`,
    );
  }

  private reloaded(before: Rendering | undefined, now: Rendering): void {
    const { clock, daemon, edge, docker, registratorTrouble, edgeTrouble } = this.world;
    if (before === now) return;
    const gap = edge.lastReload - this.lastReload;
    // A successor of apply does not know when its predecessor reloaded.
    const same = edge.apply.startedAt < this.lastReload;
    if (same && gap > 0 && gap < RELOAD_MIN_INTERVAL) this.found(`two reloads within ${gap} ms`);
    this.lastReload = edge.lastReload;
    if (this.causedUntil === Infinity) return;
    if (!now.vouched) this.found("what nobody vouches for went live");
    // Who has just been started, or has not looked since it came, does not remember it.
    const known = Math.max(daemon.startedAt, this.theirsSince) + HEALS.successor;
    const remembers = this.theirsGoneAt > known;
    if (remembers && before?.servers.has(THEIRS) && !now.servers.has(THEIRS)) {
      this.found("another host's instance has been there all along, and is no longer live");
    }
    for (const [key, until] of this.gaps) {
      if (clock.now() > Math.max(until, registratorTrouble.soundAt, edgeTrouble.soundAt)) {
        this.gaps.delete(key);
      }
    }
    for (const box of docker.boxes) {
      const { key, readySince = Infinity, killedAt, container: { name } } = box;
      if (this.gaps.has(key) || killedAt !== undefined || readySince > clock.now() - STEADY) {
        continue;
      }
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
    if (before?.value === after?.value && before?.lease === after?.lease) {
      if (clock.now() > registratorTrouble.soundAt) this.found(`${key} was written twice`);
    }
    const sound = Math.max(registratorTrouble.soundAt, this.settledAt);
    if (clock.now() > sound + UNNOTICED + this.longestTrial + IN) {
      this.found(`${key} was written although nothing had changed`);
    }
  }

  private found(problem: string): void {
    this.problem ??= problem;
  }
}

function sameKeys(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((key) => others.includes(key));
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
