// Who is there and who may get traffic: the state machine behind contract 3. Pure: time and facts come in, keys come out.
import type { ContainerEvent } from "../docker/events.ts";
import type { Listed } from "../docker/replies.ts";
import type { Container } from "../instance.ts";
import type { Drain, Registration, Status } from "../registration.ts";
import { Departures, type Leaving } from "./departures.ts";
import { entriesOf } from "./entries.ts";
import type { Winners } from "./claims.ts";
import type { Inheritance } from "./inheritance.ts";
import type { Rules } from "./instances_of.ts";
import { shown } from "./rejected_error.ts";
import type { Finding, Target } from "./target.ts";
import { Tracked } from "./tracked.ts";

/** What a list told. */
export interface News {
  /** Containers that must be inspected: new or changed ones. */
  readonly inspect: readonly string[];
  /** Those of them, and those that are gone, of which an event should have told. */
  readonly missed: readonly string[];
}

/** Everything the registrator knows of its host's containers, by container id. Times in ms. */
export class Roster {
  private readonly tracked = new Map<string, Tracked>();
  private readonly departures = new Departures();
  /** Who is out of rotation by hand, by container name. */
  private drains: ReadonlyMap<string, Leaving> = new Map();
  private readonly legacy = {
    registrations: new Map<string, Registration>(),
    statuses: new Map<string, Status>(),
  };
  /** When the newest list was asked for, and whom it showed. */
  private last = { asOf: -Infinity, running: new Set<string>() };
  private changes = 0;

  constructor(private readonly rules: Rules) {}

  /**
   * What a predecessor left in etcd: its registrations count as passed probes, its drainings go on.
   * So a restart of the registrator costs no instance its place.
   */
  inherit({ registrations, statuses, draining }: Inheritance, now: number): void {
    for (const [key, registration] of registrations) {
      this.legacy.registrations.set(key, registration);
    }
    for (const [key, status] of statuses) this.legacy.statuses.set(key, status);
    for (const [containerId, { since, reason }] of draining) {
      this.departures.inherit(containerId, Date.parse(since), reason, now);
    }
  }

  /** Whoever was not found by now has nothing to inherit: a later container of the same name is another. */
  endInheritance(): void {
    this.legacy.registrations.clear();
    this.legacy.statuses.clear();
  }

  /** A container as inspected; `asOf` is when that was asked for. What is older than what we know is ignored. */
  saw(container: Container, asOf: number, now: number): void {
    const { id } = container;
    const before = this.tracked.get(id);
    if (before ? asOf < before.asOf : asOf < this.last.asOf && !this.last.running.has(id)) return;
    this.departures.inspected(container);
    if (!container.running || this.departures.isDead(id)) return this.forget(id);
    const { registrations, statuses } = this.legacy;
    const tracked = new Tracked(container, asOf, this.rules, before, {
      registration: (key) => registrations.get(key),
      status: (key) => statuses.get(key),
    });
    this.tracked.set(id, tracked);
    tracked.settle(this.leaving(container), now);
    this.changes++;
  }

  /** There is no such container any more; `asOf` is when that was asked. */
  gone(id: string, asOf: number): void {
    if ((this.tracked.get(id)?.asOf ?? -Infinity) <= asOf) this.forget(id);
  }

  /**
   * A whole list, asked for at `asOf`. Containers it does not show are gone, those seen or heard of
   * after it was asked for apart. A list that was overtaken by a newer one says nothing.
   */
  listed(rows: readonly Listed[], asOf: number, now: number): News {
    if (asOf < this.last.asOf) return { inspect: [], missed: [] };
    const running = new Map(rows.filter((row) => row.running).map((row) => [row.id, row]));
    this.last = { asOf, running: new Set(running.keys()) };
    const missed: string[] = [];
    for (const [id, tracked] of this.tracked) {
      if (running.has(id) || tracked.asOf >= asOf) continue;
      if (!this.departures.has(id)) missed.push(id);
      this.forget(id);
    }
    for (const id of this.departures.listed(running, asOf, now)) this.takeBack(id, now);
    const inspect: string[] = [];
    for (const [id, row] of running) {
      const tracked = this.tracked.get(id);
      if (!tracked) {
        inspect.push(id); // also who has ended: only an inspection tells a new life from a late list
        if (!this.departures.has(id)) missed.push(id);
      } else if (tracked.asOf < asOf) {
        if (differs(tracked.container, row)) inspect.push(id);
        this.change(tracked, { paused: row.paused }, asOf, now);
      }
    }
    return { inspect, missed };
  }

  /** An event; true when the container must be inspected to know what it means. */
  heard(event: ContainerEvent, now: number): boolean {
    const { id } = event;
    const tracked = this.tracked.get(id);
    switch (event.action) {
      case "start":
        this.departures.started(event);
        return true;
      case "kill":
        this.departures.killed(event, tracked?.container, now);
        if (tracked) this.settle(tracked, now);
        return tracked === undefined && !this.departures.isDead(id);
      case "drain":
        this.departures.warned(event, tracked?.container, now);
        if (tracked) this.settle(tracked, now);
        return tracked === undefined && !this.departures.isDead(id);
      case "die":
      case "destroy":
        this.departures.ended(event, now);
        this.forget(id);
        return false;
      case "pause":
      case "unpause":
        if (tracked) this.change(tracked, { paused: event.action === "pause" }, now, now);
        return !tracked;
      case "health":
        if (tracked) this.change(tracked, { health: event.health }, now, now);
        return !tracked;
      case "rename":
      case "networks": // of one that is not known: it is about to start, or has ended
        return tracked !== undefined;
    }
  }

  /** Everybody who is out of rotation by hand now, by container name. They are probed on, so that they can come back at once. */
  drained(drains: ReadonlyMap<string, Drain>, now: number): void {
    const before = this.drains;
    this.drains = new Map([...drains].map(([name, { since, reason }]) => {
      const why = reason ? `: ${shown(reason)}` : "";
      return [name, {
        reason: `Drained by hand${why}. rollcall undrain ${shown(name)} brings it back.`,
        since: since === undefined ? before.get(name)?.since ?? now : Date.parse(since),
        byHand: true,
      }];
    }));
    for (const tracked of this.tracked.values()) this.settle(tracked, now);
  }

  /** What a probe of an endpoint found. Of no effect when the container or the endpoint has changed since. */
  probed(target: Target, finding: Finding, now: number): void {
    const tracked = this.tracked.get(target.containerId);
    if (!tracked?.found(target, finding)) return;
    this.changes++;
    this.settle(tracked, now);
  }

  /** The endpoints to probe now, by name. */
  targets(): ReadonlyMap<string, Target> {
    const targets = new Map<string, Target>();
    for (const [id, tracked] of this.tracked) {
      if (this.departures.has(id)) continue;
      for (const target of tracked.targets()) targets.set(target.name, target);
    }
    return targets;
  }

  /** Whether every known instance has been judged once: before that, absence proves nothing. */
  judged(): boolean {
    return [...this.tracked].every(([id, tracked]) => this.departures.has(id) || tracked.judged);
  }

  /** The keys of this host as they should stand in etcd; `taken` are those that other hosts hold, `others` their routes. */
  entries(
    taken: ReadonlySet<string> = new Set(),
    others: Winners = new Map(),
  ): ReadonlyMap<string, string> {
    return entriesOf(
      [...this.tracked.values()].flatMap((tracked) => tracked.lines()),
      taken,
      others,
    );
  }

  /** Grows whenever targets, verdicts or entries may have changed. */
  get revision(): number {
    return this.changes;
  }

  /** How many containers are known, for the log. */
  get size(): number {
    return this.tracked.size;
  }

  /** How much is remembered, in items: it must not grow with what comes and goes. */
  get remembered(): number {
    const { registrations, statuses } = this.legacy;
    return this.tracked.size + this.departures.size + this.last.running.size + registrations.size +
      statuses.size;
  }

  private takeBack(id: string, now: number): void {
    const tracked = this.tracked.get(id);
    if (!tracked) return;
    tracked.doubt();
    this.changes++;
    this.settle(tracked, now);
  }

  private forget(id: string): void {
    if (this.tracked.delete(id)) this.changes++;
  }

  private change(tracked: Tracked, change: Partial<Container>, asOf: number, now: number): void {
    if (!tracked.change(change, asOf)) return;
    this.changes++;
    this.settle(tracked, now);
  }

  private settle(tracked: Tracked, now: number): void {
    if (tracked.settle(this.leaving(tracked.container), now)) this.changes++;
  }

  /** Who was told to stop is leaving for that reason, drained by hand or not. */
  private leaving({ id, name }: Container): Leaving | undefined {
    return this.departures.of(id) ?? this.drains.get(name);
  }
}

/** Whether a row of the list shows what only an inspection can tell. A paused one has no health there. */
function differs(container: Container, row: Listed): boolean {
  return JSON.stringify(container.networks) !== JSON.stringify(row.networks) ||
    (row.name !== "" && row.name !== container.name) ||
    (!row.paused && row.health !== "none" && row.health !== container.health);
}
