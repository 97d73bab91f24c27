// One machine on which random things happen, and whose messages arrive in random order: what happens next is drawn, as is who gets to do
// the next thing. Nothing takes longer than a function call, so millions of schedules a minute are seen. What must hold is checked here.
import type { ContainerEvent } from "../../../discovery/docker/events.ts";
import type { Listed } from "../../../discovery/docker/replies.ts";
import type { Changes, Entry } from "../../../discovery/etcd/registry.ts";
import type { Container } from "../../../discovery/instance.ts";
import { drainKey, DRAINS, SERVICES, STATUS } from "../../../discovery/keys.ts";
import { SURVIVED } from "../../../discovery/registrator/departures.ts";
import { FALL, type Phase } from "../../../discovery/registrator/probing.ts";
import type { Target } from "../../../discovery/registrator/target.ts";
import type { Random } from "../simulation/random.ts";
import { Driver, HOST, JUDGING, VOUCHER } from "./driver.ts";
import { BEGIN, type Box, isReady, Truth } from "./truth.ts";

/** Something that must hold does not. */
export class Violation extends Error {}

/** Mistakes that are not in the registrator's own code. */
export interface Mistakes {
  /** The edge makes live what nobody vouches for. */
  readonly believesAbsence?: boolean;
  /** The edge drops a change that comes during a reload. */
  readonly losesLast?: boolean;
  /** The registrator takes every key for its own. */
  readonly takesAll?: boolean;
}

const OURS = `${SERVICES}nginx/${HOST}:`;
const STATUSES = `${STATUS}${HOST}/`;
/** Another host's instance. */
const THEIRS = `${SERVICES}nginx/other:web:80`;
const THEIR_VALUE = JSON.stringify({
  ...{ address: "10.255.0.1", port: 80, protocol: "tcp", weight: 1, tags: [], attrs: {} },
  ...{ host: "other", container: "web", image: "nginx", routes: [] },
  since: "2026-11-23T02:00:00.000Z",
});

/** What can happen, each as often as it stands here. */
const MOVES = [
  ...["start", "start", "start", "start", "stop", "stop", "stop", "kill", "crash", "restart"],
  ...["replace", "hangup", "pause", "unpause", "unpause", "healthy", "healthy", "healthy"],
  ...["unhealthy", "listen", "listen", "listen", "listen", "unlisten", "drain", "undrain"],
  ...["eventLost", "streamCut", "resync", "registratorRestart", "registratorAway", "leaseLost"],
  ...["wipe", "keyDeleted", "writeFails", "replyLost", "listFails", "askingFails", "watchLost"],
] as const;
type Move = (typeof MOVES)[number];

/** How many things happen between two rests; and how many messages may arrive between two of them. */
const LONGEST = 3;
const BETWEEN = 7;
/** More must not be remembered after a rest, in items: it would grow with what comes and goes. */
const REMEMBERED = 60;
/** So many messages after a rest means that somebody writes, asks or renders for ever. */
const ENDLESS = 2_000;

const HANGUP = 1;

interface Probe {
  readonly target: Target;
  readonly ok: boolean;
}

export class Walk {
  /** Events under way, each with the address of whom it tells of. */
  private readonly events: (readonly [ContainerEvent, string])[] = [];
  private readonly truth = new Truth((event, address) => {
    if (!this.deaf) this.events.push([event, address]);
  });
  /** No event is told. */
  private deaf = true;
  /** Those that are told to stop, or crash in a moment. */
  private readonly ending = new Set<Box>();
  private driver: Driver | undefined;
  private rows: readonly Listed[] | undefined;
  private readonly answers = new Map<string, Container | undefined>();
  private readonly probes: Probe[] = [];
  private etcd = new Map<string, Entry>();
  private lease = "1";
  private leases = 1;
  /** etcd has taken the write under way. */
  private taken = false;
  private live: ReadonlyMap<string, string> = new Map();
  private rendered: ReadonlyMap<string, string> | undefined;
  private edgeDue = false;
  /** Somebody has missed something that only a look from time to time finds. */
  private missed = false;
  /** A stream of events was opened anew: Docker is asked for a second list a moment after the first (observer.ts). */
  private late = false;
  /** Addresses at which nothing may be registered any more, and those that have passed. */
  private readonly leaving = new Set<string>();
  private readonly proven = new Set<string>();

  /** `tell`, where it is set, hears everything that happens, for people. */
  constructor(
    private readonly random: Random,
    private readonly mistakes: Mistakes = {},
    private readonly tell?: (what: string) => void,
  ) {
    this.etcd.set(THEIRS, { value: THEIR_VALUE, lease: "theirs" });
    for (const box of this.truth.boxes) {
      this.truth.start(box);
      this.truth.listen(box, true);
      this.truth.health(box, "healthy");
    }
    this.startRegistrator();
    this.rest();
  }

  /** How much time has passed here, in ms. */
  get lasted(): number {
    return this.truth.now - BEGIN;
  }

  /** One schedule: a few things happen, messages arrive or not, and then all comes to rest. Throws a Violation. */
  run(): void {
    const { random, truth } = this;
    for (let left = random.between(1, LONGEST); left > 0; left--) {
      this.happens(random.pick(MOVES), random.pick(truth.boxes));
      for (let next = random.between(0, BETWEEN); next > 0 && this.goOn(); next--);
    }
    this.rest();
  }

  private happens(move: Move, box: Box): void {
    const { truth, random, driver } = this;
    this.tell?.(`-- ${move} ${box.container.name}`);
    switch (move) {
      case "start":
        return truth.start(box);
      case "stop":
        truth.signal(box, box.container.stopSignal);
        this.ending.add(box);
        return;
      case "kill":
        truth.signal(box, 9);
        this.ending.add(box);
        return;
      case "crash":
        return this.end(box);
      case "restart":
        truth.signal(box, box.container.stopSignal);
        this.end(box);
        return truth.start(box);
      case "replace":
        this.ending.delete(box);
        return truth.replace(box);
      case "hangup":
        return truth.signal(box, HANGUP);
      case "pause":
        return truth.pause(box, true);
      case "unpause":
        return truth.pause(box, false);
      case "healthy":
        return truth.health(box, "healthy");
      case "unhealthy":
        return truth.health(box, "unhealthy");
      case "listen":
        return truth.listen(box, true);
      case "unlisten":
        return truth.listen(box, false);
      case "drain":
      case "undrain":
        return this.drain(box, move === "drain");
      case "eventLost": // the next list finds it
        if (this.events.length === 0) return;
        this.events.splice(random.between(0, this.events.length - 1), 1);
        this.missed = true;
        return;
      case "streamCut":
        this.events.length = 0;
        if (driver) driver.wantsList = true;
        this.late = true;
        return;
      case "resync":
        if (driver) driver.wantsList = true;
        driver?.look();
        return;
      case "registratorRestart":
        this.stopRegistrator();
        return this.startRegistrator();
      case "registratorAway":
        return this.stopRegistrator();
      case "leaseLost":
        return this.expire();
      case "wipe":
        this.etcd = new Map([[THEIRS, { value: THEIR_VALUE, lease: "theirs" }]]);
        for (const box of truth.boxes) box.drained = false;
        driver?.drained(this.etcd, truth.now);
        this.edgeDue = true;
        driver?.look();
        return;
      case "keyDeleted":
        this.etcd.delete(keyOf(box));
        this.edgeDue = true;
        box.steady = false; // whoever vouches is believed
        driver?.look();
        return;
      case "writeFails":
        if (driver?.writing && !this.taken) driver.wrote(false);
        return;
      case "replyLost":
        if (!driver?.writing) return;
        if (!this.taken) this.commit(driver.writing);
        this.taken = false;
        driver.wrote(false);
        return;
      case "listFails":
        if (driver?.listing === undefined) return;
        this.rows = undefined;
        driver.listed(undefined, truth.now);
        return;
      case "askingFails":
        for (const id of driver?.asking.keys() ?? []) {
          this.answers.delete(id);
          driver!.unanswered(id);
          return;
        }
        return;
      case "watchLost": // the edge's own look finds it
        this.missed ||= this.edgeDue;
        this.edgeDue = false;
        return;
    }
  }

  /** One message arrives, or one part does its next thing: which, is drawn. False where nothing is left to do. */
  private goOn(): boolean {
    const { random, driver, truth } = this;
    if (random.chance(0.5)) truth.now += random.between(0, 40);
    // From a place that is drawn on, the first that has something to do.
    const from = random.between(0, DEEDS.length - 1);
    for (let i = 0; i < DEEDS.length; i++) {
      if (DEEDS[(from + i) % DEEDS.length]!(this, driver)) return true;
    }
    return false;
  }

  /** Nothing happens any more, and all that is under way arrives: then everything must be right. */
  private rest(): void {
    const { truth, random } = this;
    for (const box of this.ending) if (random.chance(0.9)) this.end(box);
    if (!this.driver) this.startRegistrator();
    this.settle();
    // Who was told to stop and went on is taken back when its time is over; that of the others does not matter.
    if (this.ending.size > 0) {
      let grace = 0;
      for (const { container: { stopGrace } } of this.ending) grace = Math.max(grace, stopGrace);
      truth.now += 2 * grace + 2 * SURVIVED + 1;
      this.driver!.wantsList = true;
      for (const box of this.ending) {
        this.leaving.delete(box.address);
        box.told = false;
      }
      this.ending.clear();
      this.settle();
    }
    if (this.late) {
      this.late = false;
      truth.now += 1_000;
      this.driver!.wantsList = true;
      this.settle();
    }
    if (!this.missed && this.driver!.roster.due === undefined) this.check();
    this.missed = false;
    // Everybody looks at everything from time to time: Docker's list, etcd's revision, the edge's sweep.
    this.driver!.wantsList = true;
    this.driver!.look();
    this.edgeDue = true;
    truth.now += JUDGING;
    this.settle();
    this.probeAll();
    this.settle();
    // Who has crashed again and again is admitted when it has answered for long enough.
    for (const _ of truth.boxes) {
      const { due } = this.driver!.roster;
      if (due === undefined) break;
      truth.now = Math.max(truth.now, due);
      this.settle();
    }
    this.check();
    for (const box of truth.boxes) box.steady = isReady(box);
    for (const address of this.proven) {
      if (!truth.boxes.some((box) => box.address === address)) this.proven.delete(address);
    }
    this.leaving.clear();
    truth.now += 5_000;
  }

  private settle(): void {
    const { driver, truth } = this;
    driver!.passed(truth.now);
    for (let steps = 0; this.goOn(); steps++) {
      if (steps > ENDLESS) throw new Violation("it never comes to rest");
    }
  }

  /** As often as it takes until no probe tells anything new. */
  private probeAll(): void {
    const { driver, truth } = this;
    for (let i = 0; i < FALL; i++) {
      for (const target of [...driver!.probing()]) {
        if (driver!.follows(target)) this.tellProbe({ target, ok: this.answersAt(target) });
      }
      truth.now += 1_000;
    }
  }

  private check(): void {
    const { truth, etcd, live, driver } = this;
    const statuses = new Set<string>();
    for (const [key, { lease }] of etcd) {
      if (key === THEIRS || key.startsWith(DRAINS)) continue;
      if (lease !== this.lease) throw new Violation(`${key} is not on the registrator's lease`);
      if (key.startsWith(STATUSES)) statuses.add(key.slice(STATUSES.length));
    }
    if (!etcd.has(VOUCHER)) throw new Violation("after quiet nobody vouches");
    if (etcd.get(THEIRS)?.value !== THEIR_VALUE) throw new Violation("another host's key is gone");
    let ready = 0;
    let running = 0;
    for (const box of truth.boxes) {
      const { container: { id, name }, address } = box;
      if (box.container.running) {
        running++;
        if (!statuses.has(`${id}/80`)) throw new Violation(`after quiet ${name} has no status`);
      }
      const value = etcd.get(keyOf(box))?.value;
      if (isReady(box)) {
        ready++;
        if (!value?.startsWith(`{"address":"${address}",`)) {
          throw new Violation(`after quiet ${name} is ready and etcd has ${value}`);
        }
      } else if (value !== undefined) {
        throw new Violation(`after quiet ${name} is not ready and etcd has it`);
      }
    }
    if (statuses.size !== running) throw new Violation(`the statuses are ${[...statuses]}`);
    if (live.size !== ready + 1) throw new Violation(`live are ${[...live.keys()]}`);
    for (const [key, value] of live) {
      if (etcd.get(key)?.value !== value) throw new Violation(`live has ${key}, etcd has not`);
    }
    const { remembered } = driver!.roster;
    if (remembered > REMEMBERED) throw new Violation(`${remembered} items are remembered`);
  }

  // What parts do, one deed at a time. Each tells whether there was anything to do.

  hear(driver: Driver): boolean {
    const next = this.events.shift();
    if (!next) return false;
    const [event, address] = next;
    this.tell?.(`heard ${event.action} ${event.name}`);
    if (event.action === "kill" && event.signal !== HANGUP) this.leaving.add(address);
    if (event.action === "health" && event.health === "healthy") this.proven.add(address);
    driver.heard(event, this.truth.now);
    return true;
  }

  askForList(driver: Driver): boolean {
    if (!driver.wantsList || driver.listing !== undefined) return false;
    driver.askForList(this.truth.now);
    return true;
  }

  answerList(driver: Driver): boolean {
    if (driver.listing === undefined || this.rows) return false;
    this.rows = this.truth.list();
    return true;
  }

  hearList(driver: Driver): boolean {
    const { rows } = this;
    if (!rows) return false;
    this.tell?.(`list of ${rows.map(({ name }) => name)}`);
    this.rows = undefined;
    driver.listed(rows, this.truth.now);
    return true;
  }

  ask(driver: Driver): boolean {
    const id = driver.nextToAsk;
    if (id === undefined) return false;
    driver.ask(id, this.truth.now);
    return true;
  }

  answer(driver: Driver): boolean {
    for (const id of driver.asking.keys()) {
      if (this.answers.has(id)) continue;
      this.answers.set(id, this.truth.inspect(id));
      return true;
    }
    return false;
  }

  hearAnswer(driver: Driver): boolean {
    for (const [id, container] of this.answers) {
      this.answers.delete(id);
      this.tell?.(`inspected ${container?.name} running=${container?.running}`);
      if (container?.health === "healthy") this.proven.add(container.networks[0]!.address);
      driver.answered(id, container, this.truth.now);
      return true;
    }
    return false;
  }

  probe(driver: Driver): boolean {
    for (const target of driver.probing()) {
      if (this.probes.some(({ target: { name } }) => name === target.name)) continue;
      const ok = this.answersAt(target);
      if (driver.roster.judged() && isKnown(ok, driver.roster.phase(target))) continue;
      this.probes.push({ target, ok });
      return true;
    }
    return false;
  }

  hearProbe(driver: Driver): boolean {
    const probe = this.probes.shift();
    if (!probe) return false;
    if (driver.follows(probe.target)) this.tellProbe(probe);
    return true;
  }

  write(driver: Driver): boolean {
    if (!driver.due || driver.writing) return false;
    const owner = this.mistakes.takesAll ? () => "us" as const : undefined;
    const changes = driver.plan(() => this.etcd, owner);
    for (const key of changes?.deletes ?? []) {
      if (key === THEIRS) throw new Violation("another host's key is to be deleted");
    }
    for (const [key, value] of changes?.puts ?? []) {
      if (!key.startsWith(SERVICES)) continue;
      if (!key.startsWith(OURS)) throw new Violation(`another's key is to be written: ${key}`);
      const address = value.slice(12, value.indexOf('"', 12));
      if (this.leaving.has(address)) {
        throw new Violation(`${key} was told to stop, is known for it, and is registered again`);
      }
      if (!this.proven.has(address)) throw new Violation(`${key} has not passed and is registered`);
    }
    return true;
  }

  take(driver: Driver): boolean {
    if (!driver.writing || this.taken) return false;
    this.commit(driver.writing);
    this.taken = true;
    return true;
  }

  hearWritten(driver: Driver): boolean {
    if (!this.taken) return false;
    this.taken = false;
    driver.wrote(true);
    return true;
  }

  render(): boolean {
    if (!this.edgeDue || this.rendered) return false;
    this.edgeDue = false;
    if (!this.etcd.has(VOUCHER) && !this.mistakes.believesAbsence) return true;
    const rendered = new Map<string, string>();
    for (const [key, { value }] of this.etcd) {
      if (key.startsWith(SERVICES)) rendered.set(key, value);
    }
    this.rendered = rendered;
    return true;
  }

  reload(): boolean {
    const { rendered, mistakes, truth } = this;
    if (!rendered) return false;
    this.rendered = undefined;
    this.live = rendered;
    if (mistakes.losesLast) this.edgeDue = false;
    this.tell?.(`live: ${[...rendered.keys()]}`);
    for (const box of truth.boxes) {
      if (box.steady && !rendered.has(keyOf(box))) {
        throw new Violation(`nothing has happened to ${box.container.name}, and it is not live`);
      }
    }
    return true;
  }

  private commit({ deletes, puts }: Changes): void {
    const { lease } = this;
    if (this.tell) this.tell(`etcd: ${[...deletes].map((key) => `-${key}`)} ${[...puts.keys()]}`);
    for (const key of deletes) this.etcd.delete(key);
    for (const [key, value] of puts) this.etcd.set(key, { value, lease });
    this.edgeDue = true;
  }

  private end(box: Box): void {
    this.ending.delete(box);
    this.truth.die(box);
  }

  private drain(box: Box, drained: boolean): void {
    const key = drainKey(HOST, box.container.name);
    if (drained) this.etcd.set(key, { value: "{}", lease: "0" });
    else this.etcd.delete(key);
    box.drained = drained;
    box.steady = false;
    this.driver?.drained(this.etcd, this.truth.now);
  }

  private answersAt({ containerId, address }: Target): boolean {
    const box = this.truth.boxes.find(({ container }) => container.id === containerId);
    return box !== undefined && box.address === address && box.listening &&
      box.container.running && !box.container.paused;
  }

  private tellProbe({ target, ok }: Probe): void {
    this.tell?.(`probe of ${target.containerId} ${target.address} ${ok}`);
    if (ok) this.proven.add(target.address);
    this.driver!.probed(target, ok, this.truth.now);
  }

  private startRegistrator(): void {
    this.deaf = false;
    this.late = true;
    this.driver = new Driver(this.etcd, this.lease, this.truth.now);
    this.leaving.clear(); // what its predecessor heard and did not write, it cannot know
    for (const [key, { value }] of this.etcd) {
      if (key.startsWith(OURS)) this.proven.add(value.slice(12, value.indexOf('"', 12)));
    }
  }

  private stopRegistrator(): void {
    const { writing } = this.driver ?? {};
    if (writing && !this.taken && this.random.chance(0.5)) this.commit(writing);
    this.driver = undefined;
    this.deaf = true;
    this.taken = false;
    this.rows = undefined;
    this.events.length = this.probes.length = 0;
    this.answers.clear();
  }

  /** The lease ends, and with it every key of ours. */
  private expire(): void {
    for (const [key, { lease }] of this.etcd) if (lease === this.lease) this.etcd.delete(key);
    this.lease = String(++this.leases);
    this.edgeDue = true;
    const { driver } = this;
    if (!driver) return;
    driver.lease = this.lease;
    if (driver.writing && !this.taken) driver.wrote(false); // etcd knows no such lease
    driver.look();
  }
}

type Deed = (walk: Walk, driver: Driver | undefined) => boolean | undefined;

/** What can go on: the registrator's part only while there is one. */
const DEEDS: readonly Deed[] = [
  (walk, driver) => driver && walk.hear(driver),
  (walk, driver) => driver && walk.askForList(driver),
  (walk, driver) => driver && walk.answerList(driver),
  (walk, driver) => driver && walk.hearList(driver),
  (walk, driver) => driver && walk.ask(driver),
  (walk, driver) => driver && walk.answer(driver),
  (walk, driver) => driver && walk.hearAnswer(driver),
  (walk, driver) => driver && walk.probe(driver),
  (walk, driver) => driver && walk.hearProbe(driver),
  (walk, driver) => driver && walk.write(driver),
  (walk, driver) => driver && walk.take(driver),
  (walk, driver) => driver && walk.hearWritten(driver),
  (walk) => walk.render(),
  (walk) => walk.reload(),
];

/** Whether such a probe tells nothing new. */
function isKnown(ok: boolean, phase: Phase | undefined): boolean {
  return ok
    ? phase === "passing" || phase === "proving"
    : phase === "starting" || phase === "failing";
}

function keyOf({ container: { name } }: Box): string {
  return `${OURS}${name}:80`;
}
