// Who is there and who may get traffic: the state machine behind contract 3. Pure: time and facts come in, keys come out.
import { nanoseconds } from "../docker/nanoseconds.ts";
import type { ContainerEvent } from "../docker/events.ts";
import type { Listed } from "../docker/replies.ts";
import type { Container } from "../instance.ts";
import type { Drain, Registration, Status } from "../registration.ts";
import { Departures, type Leaving } from "./departures.ts";
import { Entries } from "./entries.ts";
import type { Inheritance } from "./inheritance.ts";
import type { Rules } from "./instances_of.ts";
import { Lives } from "./lives.ts";
import type { Phase } from "./probing.ts";
import { shown } from "./rejected_error.ts";
import type { Result, Target } from "./target.ts";
import { Tracked } from "./tracked.ts";

/** What a list told. */
export interface News {
  /** Containers that must be inspected: new or changed ones. */
  readonly inspect: readonly string[];
  /** Those of them, and those that are gone, of which an event should have told. */
  readonly missed: readonly string[];
}

/**
 * Everything the registrator knows of its host's containers, by container id. Times in ms. What a
 * fact costs does not depend on how many containers there are, a list apart.
 */
export class Roster {
  private readonly tracked = new Map<string, Tracked>();
  private readonly departures = new Departures();
  /** Who is out of rotation by hand, by container name. */
  private drains: ReadonlyMap<string, Leaving> = new Map();
  private readonly lives = new Lives();
  /** As of the last `takeChanged` or `entries`. */
  readonly keys = new Entries();
  /** Containers whose keys or targets may have changed since somebody asked. */
  private changed = new Set<string>();
  /** Those that have an endpoint of which nothing is known yet. */
  private readonly unjudged = new Set<string>();
  /** Those that must be settled though nothing happens, and when. */
  private readonly trials = new Map<string, number>();
  private readonly legacy = {
    registrations: new Map<string, Registration>(),
    statuses: new Map<string, Status>(),
    /** By container, of those that had crashed before. */
    crashes: new Map<string, Status>(),
  };
  /** When the newest list was asked for, and whom it showed. */
  private last = { asOf: -Infinity, running: new Set<string>() };

  constructor(private readonly rules: Rules) {}

  /**
   * What a predecessor left in etcd: its registrations count as passed probes, its drainings go on.
   * So a restart of the registrator costs no instance its place.
   */
  inherit({ registrations, statuses, draining }: Inheritance, now: number): void {
    for (const [key, registration] of registrations) {
      this.legacy.registrations.set(key, registration);
    }
    for (const [key, status] of statuses) {
      this.legacy.statuses.set(key, status);
      const containerId = key.split("/").at(-2);
      if (containerId && status.crashes) this.legacy.crashes.set(containerId, status);
    }
    for (const [containerId, { since, reason }] of draining) {
      this.departures.inherit(containerId, Date.parse(since), reason, now);
    }
  }

  /** Whoever was not found by now has nothing to inherit: a later container of the same name is another. */
  endInheritance(): void {
    this.legacy.registrations.clear();
    this.legacy.statuses.clear();
    this.legacy.crashes.clear();
  }

  /** A container as inspected; `asOf` is when that was asked for. What is older than what we know is ignored. */
  saw(container: Container, asOf: number, now: number): void {
    const { id } = container;
    const before = this.tracked.get(id);
    if (before ? asOf < before.asOf : asOf < this.last.asOf && !this.last.running.has(id)) return;
    const lived = before && begun(container) - begun(before.container);
    // Of its end no event has told.
    if (lived) this.lives.ended(id, { lived, told: this.departures.has(id), now });
    this.departures.inspected(container, asOf);
    if (!container.running || this.departures.isDead(id)) return this.forget(id);
    const { registrations, statuses } = this.legacy;
    const counted = before ? undefined : this.legacy.crashes.get(id);
    // A life that ended while nobody looked may have been long: only what was said of this one counts.
    if (counted && Date.parse(counted.since) >= Date.parse(container.startedAt)) {
      this.lives.inherit(id, counted.crashes ?? 0, now);
    }
    const legacy = {
      registration: (key: string) => registrations.get(key),
      status: (key: string) => statuses.get(key),
    };
    const crashes = this.lives.crashes(id);
    const tracked = new Tracked(container, asOf, this.rules, before, legacy, crashes);
    this.tracked.set(id, tracked);
    this.settle(tracked, now);
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
    if (tracked && isOver(tracked, event)) return false;
    switch (event.action) {
      case "start":
        if (this.departures.started(event, now) && tracked) {
          this.lives.ended(id, { lived: undefined, told: true, now });
          this.forget(id);
        }
        return true;
      case "kill":
        this.departures.killed(event, tracked?.container, now);
        if (tracked) this.settle(tracked, now);
        return tracked === undefined &&
          (!this.departures.isDead(id) || this.departures.isDoubtful(id));
      case "drain":
        this.departures.warned(event, tracked?.container, now);
        if (tracked) this.settle(tracked, now);
        return tracked === undefined && !this.departures.isDead(id);
      case "destroy":
        this.ended(event, now);
        this.lives.forget(id);
        return false;
      case "die":
        this.ended(event, now);
        return false;
      case "pause":
      case "unpause":
        if (tracked) this.change(tracked, { paused: event.action === "pause" }, now, now);
        // No list tells the health of a paused one: what was missed meanwhile, only an inspection tells.
        return !tracked || event.action === "unpause";
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
    for (const tracked of this.tracked.values()) {
      const { name } = tracked.container;
      if (before.has(name) || this.drains.has(name)) this.settle(tracked, now);
    }
  }

  /** Where an endpoint stands; undefined when the container or the endpoint has changed since. */
  phase(target: Target): Phase | undefined {
    return this.tracked.get(target.containerId)?.phase(target);
  }

  /**
   * What a probe of an endpoint found; tells where the endpoint stands now. Of no effect, and
   * undefined, when the container or the endpoint has changed since.
   */
  probed(target: Target, result: Result, now: number): Phase | undefined {
    const tracked = this.tracked.get(target.containerId);
    if (tracked?.found(target, result, now)) this.settle(tracked, now);
    return tracked?.phase(target);
  }

  /** When it must be told the time, though nothing happens. */
  get due(): number | undefined {
    return this.trials.size === 0 ? undefined : Math.min(...this.trials.values());
  }

  /** It is `now`: who has proven itself is admitted. */
  passed(now: number): void {
    for (const [id, due] of this.trials) if (due <= now) this.settle(this.tracked.get(id)!, now);
  }

  /** The containers whose targets or keys may have changed since it was asked last. */
  takeChanged(): ReadonlySet<string> {
    this.entries();
    const { changed } = this;
    this.changed = new Set();
    return changed;
  }

  /** The keys of this host as they should stand in etcd; the map changes with what is told. */
  entries(): ReadonlyMap<string, string> {
    for (const id of this.changed) this.keys.set(id, this.tracked.get(id)?.lines() ?? []);
    return this.keys.all;
  }

  /** The endpoints of a container to probe now. */
  targetsOf(id: string): readonly Target[] {
    return this.departures.has(id) ? [] : this.tracked.get(id)?.targets() ?? [];
  }

  /** Whether every known instance has been judged once: before that, absence proves nothing. */
  judged(): boolean {
    return this.unjudged.size === 0;
  }

  /** How many containers are known, for the log. */
  get size(): number {
    return this.tracked.size;
  }

  /** How much is remembered, in items: it must not grow with what comes and goes. */
  get remembered(): number {
    const { registrations, statuses, crashes } = this.legacy;
    return this.tracked.size + this.departures.size + this.lives.size + this.last.running.size +
      this.changed.size + this.unjudged.size + this.trials.size + this.keys.all.size +
      registrations.size + statuses.size + crashes.size;
  }

  private ended(event: ContainerEvent, now: number): void {
    const { id, at } = event;
    const tracked = this.tracked.get(id);
    if (!this.departures.has(id) || !this.departures.isDead(id)) {
      const lived = tracked && at - begun(tracked.container);
      this.lives.ended(id, { lived, told: this.departures.has(id), now });
    }
    this.departures.ended(event, now);
    this.forget(id);
  }

  private takeBack(id: string, now: number): void {
    const tracked = this.tracked.get(id);
    if (!tracked) return;
    tracked.doubt();
    this.settle(tracked, now);
  }

  private forget(id: string): void {
    if (!this.tracked.delete(id)) return;
    this.changed.add(id);
    this.unjudged.delete(id);
    this.trials.delete(id);
  }

  private change(tracked: Tracked, change: Partial<Container>, asOf: number, now: number): void {
    if (tracked.change(change, asOf)) this.settle(tracked, now);
  }

  private settle(tracked: Tracked, now: number): void {
    const { id } = tracked.container;
    tracked.settle(this.leaving(tracked.container), now);
    this.changed.add(id);
    if (tracked.judged || this.departures.has(id)) this.unjudged.delete(id);
    else this.unjudged.add(id);
    const { due } = tracked;
    if (due === undefined) this.trials.delete(id);
    else this.trials.set(id, due);
  }

  /** Who was told to stop is leaving for that reason, drained by hand or not. */
  private leaving({ id, name }: Container): Leaving | undefined {
    return this.departures.of(id) ?? this.drains.get(name);
  }
}

/** Whether an event tells of a life before the one that is known: an inspection was faster, or it is said again. */
function isOver({ container }: Tracked, { action, at }: ContainerEvent): boolean {
  const ofAnyLife = action === "destroy" || action === "rename" || action === "networks";
  return !ofAnyLife && at < begun(container);
}

/** When the life of a container began, in Docker's time. */
function begun({ startedAt }: Container): bigint {
  return nanoseconds(startedAt);
}

/** Whether a row of the list shows what only an inspection can tell. A paused one has no health there. */
function differs(container: Container, row: Listed): boolean {
  return JSON.stringify(container.networks) !== JSON.stringify(row.networks) ||
    (row.name !== "" && row.name !== container.name) ||
    (!row.paused && row.health !== "none" && row.health !== container.health);
}
