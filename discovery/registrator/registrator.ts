// The daemon: Docker's facts into the roster, the roster's keys into etcd. Owns the order of things, no rule.
import { delay } from "../delay.ts";
import type { Engine } from "../docker/engine.ts";
import type { Changes, Entry, Registry } from "../etcd/registry.ts";
import { DRAINS, hostKey, HOSTS, SERVICES, STATUS } from "../keys.ts";
import type { Log } from "../log.ts";
import { type Standing, statesIn } from "../metrics/standing.ts";
import { decodeStatus, type Drain, encode } from "../registration.ts";
import { Absence } from "./absence.ts";
import { drainsIn, DrainWatch } from "./drains.ts";
import { type Winners, winnersElsewhere } from "./claims.ts";
import { inheritanceIn, ownerFor } from "./inheritance.ts";
import type { Rules } from "./instances_of.ts";
import { Observer } from "./observer.ts";
import type { Origins } from "./origins.ts";
import { Prober } from "./prober.ts";
import { type Desired, Reconciler } from "./reconcile.ts";
import { Roster } from "./roster.ts";
import type { Finding, Target } from "./target.ts";

/** What the registrator needs from outside. Times in ms, `ttl` in seconds. */
export interface RegistratorOptions extends Rules {
  readonly engine: Engine;
  readonly registry: Registry;
  readonly probe: (target: Target, signal: AbortSignal) => Promise<Finding>;
  readonly ttl: number;
  /** How often the lease is renewed; a third of `ttl` where it is not set. */
  readonly refresh?: number;
  /** How often etcd is tried again at the start, and the longest time between two tries; else for ever, 2 s. */
  readonly retries?: { readonly attempts: number; readonly interval: number };
  readonly resync: number;
  readonly version: string;
  readonly log: Log;
  /** What led to changes, for the log; it must have heard the engine's events. */
  readonly origins?: Pick<Origins, "of">;
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Tells the time in ms since 1970; must not go back. */
  readonly now?: () => number;
}

/** How long endpoints that do not answer may delay vouching, in ms: one label must not stop a host. */
const JUDGING = 3_000;

/** Watches one Docker host and keeps its keys in etcd. It runs once. */
export class Registrator {
  private readonly roster: Roster;
  private readonly observer: Observer;
  private readonly prober: Prober;
  private readonly reconciler: Reconciler;
  private readonly drains: DrainWatch;
  private readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  private readonly now: () => number;
  private readonly stop = new AbortController();
  /** Every running container is known, and they get time to be judged. */
  private judging = false;
  /** Set once everything listed has been judged: from then on our host is vouched for. */
  private vouchedSince: string | undefined;
  private inheritedVoucher: string | undefined;
  private readonly absence: Absence;
  /** The hosts that are waited for before ours is vouched for again. */
  private awaited: readonly string[] = [];
  /** Other hosts' routes, and the reading of etcd that they are from. */
  private others: {
    readonly asOf: ReadonlyMap<string, Entry> | undefined;
    readonly routes: Winners;
  } = { asOf: undefined, routes: new Map() };
  /** Probes of everybody who passed so far get no answer: said once. */
  private heardNobody = false;
  /** When somebody will be told the time, and how to call that off. */
  private alarm: { readonly at: number; readonly off: AbortController } | undefined;

  constructor(private readonly options: RegistratorOptions) {
    const { engine, host, registry, log, ttl, refresh, retries, resync, probe } = options;
    const wait = this.wait = options.wait ?? delay;
    // Not Date.now(): the order of facts hangs on it, and the machine's clock may be set back.
    const now = this.now = options.now ?? (() => performance.timeOrigin + performance.now());
    const roster = this.roster = new Roster(options);
    this.absence = new Absence(host, ttl * 1000);
    const told = () => this.changed();
    this.observer = new Observer({ engine, roster, resync, log, told, wait, now });
    this.prober = new Prober({
      probe,
      wait,
      now,
      phase: (target) => roster.phase(target),
      found: (target, result) => {
        if (result.ok) this.heardNobody = false;
        const phase = roster.probed(target, result, now());
        this.changed();
        return phase;
      },
      unheard: () => {
        if (this.heardNobody) return;
        this.heardNobody = true;
        const effect = "instances stay as they are: is the registrator on their network?";
        log.warn("no probe gets an answer", { effect });
      },
    });
    const drained = (drains: ReadonlyMap<string, Drain>) => {
      roster.drained(drains, now());
      this.changed();
    };
    this.drains = new DrainWatch({ registry, host, drained, wait });
    this.reconciler = new Reconciler({
      registry,
      desired: (current, silent) => this.desired(current, silent),
      patient,
      // The voucher is read first: where somebody deletes everything between two of these, we would else
      // believe in registrations that are gone, and vouch anew. The edge would serve nothing.
      prefixes: [HOSTS, `${STATUS}${host}/`, `${DRAINS}${host}/`, SERVICES],
      ownerOf: ownerFor(host),
      hostKey: hostKey(host),
      ttl,
      refresh,
      retries,
      resync,
      log,
      wait,
      now,
      applied: (changes, revision) => this.report(changes, revision),
      taken: (keys) => {
        roster.keys.hold(keys);
        this.reconciler.poke();
      },
    });
  }

  /** Whether Docker's events are followed and etcd holds our lease. */
  get healthy(): boolean {
    return this.observer.following && this.reconciler.connected;
  }

  /** How things stand, for metrics and health. */
  get standing(): Standing {
    return {
      docker: this.observer.following,
      etcd: this.reconciler.connected,
      vouching: this.vouchedSince !== undefined && this.awaited.length === 0,
      containers: this.roster.size,
      states: () => statesIn(this.roster.keys.all),
    };
  }

  /**
   * Runs until the signal fires. Keys stay: a successor takes them over, or the lease ends them.
   * Throws a GaveUpError when etcd has not answered after all `retries`.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.stop.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    await this.inherit();
    await Promise.all(
      [this.reconciler, this.observer, this.drains].map((part) => part.run(this.stop.signal)),
    );
    this.prober.stop();
    this.alarm?.off.abort();
    signal.removeEventListener("abort", stop);
  }

  /** Removes every key of ours at once. Call after run has ended; throws when etcd does not answer. */
  deregister(): Promise<void> {
    return this.reconciler.deregister();
  }

  private async inherit(): Promise<void> {
    const { host, log } = this.options;
    const entries = await this.reconciler.read(this.stop.signal);
    const inheritance = inheritanceIn(entries, host);
    this.inheritedVoucher = inheritance.voucher?.since;
    this.roster.inherit(inheritance, this.now());
    this.roster.drained(drainsIn(entries, host), this.now()); // before anything is written
    const count = inheritance.registrations.size;
    if (count > 0) log.info("registrations taken over", { count });
  }

  private changed(): void {
    if (this.stop.signal.aborted) return;
    if (this.observer.complete && !this.judging) {
      this.judging = true;
      this.roster.endInheritance();
      this.wait(JUDGING, this.stop.signal).then(() => this.vouch());
    }
    if (this.vouchedSince === undefined && this.roster.judged()) this.vouch();
    const changed = this.roster.takeChanged();
    if (changed.size === 0) return;
    for (const id of changed) this.prober.follow(id, this.roster.targetsOf(id));
    this.setAlarm();
    this.reconciler.poke();
  }

  /** Whoever must prove itself is admitted, and our host vouched for, though nothing happens at that moment. */
  private setAlarm(): void {
    const at = earlier(this.roster.due, this.absence.until);
    if (at === this.alarm?.at) return;
    this.alarm?.off.abort();
    this.alarm = undefined;
    if (at === undefined) return;
    const off = new AbortController();
    this.alarm = { at, off };
    this.wait(at - this.now(), off.signal).then(() => {
      if (off.signal.aborted) return;
      this.alarm = undefined;
      this.roster.passed(this.now());
      this.changed();
      // What stood there may be gone by now, and we are about to vouch for it.
      if (this.awaited.length > 0) this.reconciler.look();
    });
  }

  /** From now on what we write is the whole truth about our host, and what we do not write is not there. */
  private vouch(): void {
    if (!this.judging || this.vouchedSince !== undefined || this.stop.signal.aborted) return;
    const { log, host } = this.options;
    this.vouchedSince = this.inheritedVoucher ?? new Date(this.now()).toISOString();
    this.putVoucher();
    log.info("vouching", { host, containers: this.roster.size });
    this.reconciler.poke();
  }

  private putVoucher(): void {
    const { host, version } = this.options;
    const since = this.awaited.length === 0 ? this.vouchedSince : undefined;
    this.roster.keys.put(hostKey(host), since && encode({ host, version, since }));
  }

  /** Nothing before we vouch: what a predecessor wrote stands until we know better. */
  private desired(current: ReadonlyMap<string, Entry>, silent: number): Desired | undefined {
    this.await(this.absence.waitsFor(current, { now: this.now(), silent }));
    if (this.vouchedSince === undefined) return undefined;
    const { keys } = this.roster;
    keys.elsewhere(this.routesOfOthers(current));
    return { entries: this.roster.entries(), changed: keys.takeChanged() };
  }

  /** Our voucher is withheld while others, of whom etcd lost what it knew, have not written it anew. */
  private await(hosts: readonly string[]): void {
    const before = this.awaited;
    this.awaited = hosts;
    this.setAlarm();
    if (hosts.join() === before.join()) return;
    const { log, host } = this.options;
    if (hosts.length > 0) {
      const effect = "etcd lost what they wrote: until it is there again nginx keeps what it has";
      log.warn("waiting for other hosts", { host, missing: hosts.join(","), effect });
    }
    if (this.vouchedSince === undefined) return;
    this.putVoucher();
    if (hosts.length === 0) log.info("vouching", { host, containers: this.roster.size });
  }

  /** Other hosts' routes as last read: looked at once for each reading, as there may be ten thousand. */
  private routesOfOthers(current: ReadonlyMap<string, Entry>): Winners {
    if (current !== this.others.asOf) {
      this.others = { asOf: current, routes: winnersElsewhere(current, this.options.host) };
    }
    return this.others.routes;
  }

  private report(changes: Changes, revision: number): void {
    const { puts, deletes } = changes;
    const { log, origins } = this.options;
    const fields = origins?.of(changes, revision);
    const tell = (event: string, key: string) => log.info(event, { key, ...fields?.get(key) });
    for (const key of deletes) if (key.startsWith(SERVICES)) tell("deregistered", key);
    for (const [key, value] of puts) {
      if (key.startsWith(SERVICES)) tell("registered", key);
      if (!key.startsWith(STATUS) || !value.includes('"rejected"')) continue; // decoding costs
      const status = decodeStatus(value);
      if (status?.state !== "rejected") continue;
      log.info("rejected", { container: status.container, reason: status.reason });
    }
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? a ?? b : Math.min(a, b);
}

/** What people read can wait a moment; but a successor must find who is leaving. */
function patient(key: string, value: string | undefined): boolean {
  if (!key.startsWith(STATUS)) return false;
  return !value?.includes('"draining"') || decodeStatus(value)?.state !== "draining"; // decoding costs
}
