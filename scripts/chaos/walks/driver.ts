// The registrator's own rules (roster, plan, inheritance) moved by hand, one message at a time and without promises. Owns the order of
// things as observer.ts, prober.ts, reconcile.ts and registrator.ts have it; the simulation runs those themselves.
import type { ContainerEvent } from "../../../discovery/docker/events.ts";
import type { Listed } from "../../../discovery/docker/replies.ts";
import type { Changes, Entry } from "../../../discovery/etcd/registry.ts";
import type { Container } from "../../../discovery/instance.ts";
import { hostKey } from "../../../discovery/keys.ts";
import { encode } from "../../../discovery/registration.ts";
import { drainsIn } from "../../../discovery/registrator/drains.ts";
import { inheritanceIn, ownerFor } from "../../../discovery/registrator/inheritance.ts";
import type { Rules } from "../../../discovery/registrator/instances_of.ts";
import { isEmpty, plan } from "../../../discovery/registrator/plan.ts";
import { Roster } from "../../../discovery/registrator/roster.ts";
import type { Target } from "../../../discovery/registrator/target.ts";

export const HOST = "h";
/** The key that says that what stands in etcd of this host is all there is. */
export const VOUCHER = hostKey(HOST);
const RULES: Rules = { host: HOST, networks: ["edge"], explicit: false, tags: [] };
/** How long endpoints that do not answer may delay vouching, in ms (registrator.ts). */
export const JUDGING = 3_000;
const VERSION = "0.0.0";
const ownerOf = ownerFor(HOST);

/** One registrator process, from its start to its end. */
export class Driver {
  readonly roster = new Roster(RULES);
  /** Endpoints to probe, by container; and those that need no more of it. */
  readonly targets = new Map<string, readonly Target[]>();
  private readonly done = new Set<string>();
  /** Containers that are being asked about, and since when; and those to be asked about then. */
  readonly asking = new Map<string, number>();
  readonly toAsk = new Set<string>();
  /** Docker is to be asked for a list; since when it is being asked. */
  wantsList = true;
  listing: number | undefined;
  /** What is believed to stand in etcd; undefined: nobody knows. */
  private mirror: Map<string, Entry> | undefined;
  /** Something may have to be written. */
  due = true;
  writing: Changes | undefined;
  private listedOnce = false;
  private complete = false;
  private judgingUntil: number | undefined;
  vouching = false;
  private readonly since: string | undefined;

  /** `entries`: what stands in etcd; `now` in ms. */
  constructor(entries: ReadonlyMap<string, Entry>, public lease: string, now: number) {
    const inheritance = inheritanceIn(entries, HOST);
    this.since = inheritance.voucher?.since;
    this.roster.inherit(inheritance, now);
    this.roster.drained(drainsIn(entries, HOST), now);
  }

  heard(event: ContainerEvent, now: number): void {
    const unclear = this.roster.heard(event, now);
    this.changed(now);
    if (unclear || this.asking.has(event.id)) this.toAsk.add(event.id);
  }

  askForList(now: number): void {
    this.wantsList = false;
    this.listing = now;
  }

  /** The list that was asked for; undefined: there was no answer, and it is asked for again. */
  listed(rows: readonly Listed[] | undefined, now: number): void {
    const asOf = this.listing!;
    this.listing = undefined;
    if (rows === undefined) {
      this.wantsList = true;
      return;
    }
    for (const id of this.roster.listed(rows, asOf, now).inspect) this.toAsk.add(id);
    this.listedOnce = true;
    this.settled(now);
  }

  /** Whom to ask about next: one question at a time about each. */
  get nextToAsk(): string | undefined {
    for (const id of this.toAsk) if (!this.asking.has(id)) return id;
    return undefined;
  }

  ask(id: string, now: number): void {
    this.toAsk.delete(id);
    this.asking.set(id, now);
  }

  /** Docker's answer; undefined where there is no such container. */
  answered(id: string, container: Container | undefined, now: number): void {
    const asOf = this.asking.get(id)!;
    this.asking.delete(id);
    if (container) this.roster.saw(container, asOf, now);
    else this.roster.gone(id, asOf);
    this.settled(now);
  }

  /** Docker did not answer: it is asked again. */
  unanswered(id: string): void {
    this.asking.delete(id);
    this.toAsk.add(id);
  }

  /** The endpoints that are to be probed. */
  *probing(): Iterable<Target> {
    for (const targets of this.targets.values()) {
      for (const target of targets) if (!this.done.has(target.name)) yield target;
    }
  }

  /** Whether a probe that was sent still counts. */
  follows({ containerId, name }: Target): boolean {
    return this.targets.get(containerId)?.some((target) => target.name === name) ?? false;
  }

  probed(target: Target, ok: boolean, now: number): void {
    const detail = ok ? "connected" : "connection refused";
    const phase = this.roster.probed(target, { ok, detail, took: 1 }, now);
    this.changed(now);
    if (phase === "passing" && target.check.interval === 0) this.done.add(target.name);
  }

  drained(entries: ReadonlyMap<string, Entry>, now: number): void {
    this.roster.drained(drainsIn(entries, HOST), now);
    this.changed(now);
  }

  /** Time has passed, and nothing has happened. */
  passed(now: number): void {
    const { due } = this.roster;
    if (due !== undefined && due <= now) this.roster.passed(now);
    this.changed(now);
  }

  /** What stands in etcd may be something else than what was written: it is read anew. */
  look(): void {
    this.mirror = undefined;
    this.due = true;
  }

  /** The next write, planned on what stands in etcd; undefined where there is nothing to write. */
  plan(entries: () => ReadonlyMap<string, Entry>, owner = ownerOf): Changes | undefined {
    this.due = false;
    if (!this.vouching) return undefined;
    const { roster, lease } = this;
    const fresh = this.mirror === undefined;
    const current = this.mirror ??= new Map(entries());
    const desired = roster.entries();
    const changed = roster.keys.takeChanged();
    const only = fresh ? undefined : changed;
    const { taken: _, ...changes } = plan({
      ...{ current, desired, lease, ownerOf: owner },
      ...(only && { only }),
    });
    return this.writing = isEmpty(changes) ? undefined : changes;
  }

  /** etcd's answer to the write under way, or none. */
  wrote(ok: boolean): void {
    const { writing, mirror, lease } = this;
    this.writing = undefined;
    if (!ok || mirror === undefined) return this.look();
    for (const key of writing!.deletes) mirror.delete(key);
    for (const [key, value] of writing!.puts) mirror.set(key, { value, lease });
  }

  /** The list was answered, and perhaps everybody is known now. */
  private settled(now: number): void {
    if (this.listedOnce && this.asking.size === 0 && this.toAsk.size === 0) this.complete = true;
    this.changed(now);
  }

  private changed(now: number): void {
    const { roster } = this;
    if (this.complete && this.judgingUntil === undefined) {
      this.judgingUntil = now + JUDGING;
      roster.endInheritance();
    }
    if (!this.vouching && this.judgingUntil !== undefined) {
      if (roster.judged() || now >= this.judgingUntil) this.vouch(now);
    }
    const changed = roster.takeChanged();
    if (changed.size === 0) return;
    for (const id of changed) {
      const targets = roster.targetsOf(id);
      for (const { name } of this.targets.get(id) ?? []) {
        if (!targets.some((target) => target.name === name)) this.done.delete(name);
      }
      if (targets.length > 0) this.targets.set(id, targets);
      else this.targets.delete(id);
    }
    this.due = true;
  }

  private vouch(now: number): void {
    this.vouching = true;
    const since = this.since ?? new Date(now).toISOString();
    this.roster.keys.put(VOUCHER, encode({ host: HOST, version: VERSION, since }));
    this.due = true;
  }
}
