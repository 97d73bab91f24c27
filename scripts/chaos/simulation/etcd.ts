// etcd in memory with everything that can be wrong with it: silent, away, slow, wiped, replies lost. Owns no key's meaning.
import {
  type Changes,
  type Entry,
  inTransactions,
  LeaseLostError,
  type Registry,
} from "../../../discovery/etcd/registry.ts";
import { DRAINS, HOSTS, SERVICES } from "../../../discovery/keys.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** The way of one client to etcd. */
export interface Link {
  cut: boolean;
}

/** What a write changed, for whoever checks it. */
export type Written = (key: string, before: Entry | undefined, after: Entry | undefined) => void;

/** EtcdRegistry gives up then. */
const DEADLINE = 2_000;
const TOO_LATE = new Error("no answer in time");
const REFUSED = new Error("connection refused");

interface WatchRequest {
  readonly process: Process;
  readonly link: Link;
  readonly prefix: string;
  readonly told: () => void;
  readonly signal: AbortSignal;
}

interface Watcher {
  /** Something has changed at this key; or, without one, it listens from now on. */
  readonly tell: (key: string | undefined) => void;
  readonly fail: () => void;
}

export class SimulatedEtcd {
  readonly keys = new Map<string, Entry>();
  private readonly leases = new Map<string, { readonly ttl: number; ends: number }>();
  private granted = 0;
  /** Only who is drained is watched. */
  private readonly watchers = new Set<Watcher>();
  private queue: Array<() => void> = [];
  private state: "up" | "away" | "silent" = "up";
  revision = 1;
  /** The revision and the time at which what the edge reads was changed last. */
  edgeRevision = 0;
  edgeChangedAt = 0;
  /** Another one after each change of what the edge reads. */
  edgeVersion = 0;
  /** Changes are made and their replies are lost. */
  losesReplies = false;
  /** An answer takes up to that many ms more. */
  slow = 0;
  /** Told of every change of a registrator. */
  written: Written = () => {};
  /** Told when a write is made after its registrator has given it up: it may have asked for the opposite since. */
  late: () => void = () => {};
  /** Told when others are drained than before. */
  drains: () => void = () => {};
  /** Told when what the edge reads has changed. */
  edgeChanged: () => void = () => {};

  constructor(private readonly clock: VirtualClock, private readonly random: Random) {}

  /** One request: `work` is done in etcd, `done` in the process that asked. */
  request<T>(
    { link, process, deadline, late }: {
      readonly link: Link;
      readonly process: Process;
      readonly deadline: number;
      readonly late?: (() => void) | undefined;
    },
    work: () => T,
    done: (value: T | undefined, error: Error | undefined) => void,
  ): void {
    const { clock } = this;
    const end = clock.now() + deadline;
    let open = true;
    process.asking++;
    const finish = (value: T | undefined, error: Error | undefined) => {
      if (!open) return;
      open = false;
      process.asking--;
      done(value, error);
    };
    /** Nothing will have come by then. Nearly every answer does: so no timer is set for nothing. */
    const giveUp = () => process.in(end - clock.now(), () => finish(undefined, TOO_LATE));
    const perform = () => {
      if (!open) late?.();
      let value: T | undefined;
      let error: Error | undefined;
      try {
        value = work();
      } catch (thrown) {
        error = thrown as Error;
      }
      if (this.losesReplies || link.cut) {
        if (open) giveUp();
        return;
      }
      const delay = this.delay();
      if (!open) return;
      if (clock.now() + delay >= end) giveUp();
      else if (delay === 0) process.deliver(() => finish(value, error));
      else process.in(delay, () => finish(value, error));
    };
    const arrive = () => {
      if (this.state === "away" && !link.cut) process.in(1, () => finish(undefined, REFUSED));
      else if (this.state === "up" && !link.cut) perform();
      else {
        if (open) giveUp();
        if (!link.cut) this.queue.push(perform);
      }
    };
    const delay = this.delay();
    if (delay >= deadline) giveUp();
    if (delay === 0) arrive();
    else clock.in(delay, arrive);
  }

  private delay(): number {
    const { random, slow } = this;
    return random.between(0, 1) + random.between(0, slow);
  }

  /** The Registry of one process. */
  registry(
    process: Process,
    link: Link,
    seen: (prefix: string, entries: ReadonlyMap<string, Entry>) => void,
  ): Registry {
    const call = <T>(work: () => T, late?: () => void) => this.call(process, link, work, late);
    return {
      list: async (prefix) => {
        const entries = await call(() => this.below(prefix));
        seen(prefix, entries);
        return entries;
      },
      revision: () => call(() => this.revision),
      grant: (ttl) => call(() => this.grant(ttl)),
      keepAlive: (lease) => call(() => this.keepAlive(lease)),
      revoke: (lease) => call(() => this.end(lease)),
      apply: async (changes, lease) => {
        let revision = 0;
        for (const one of inTransactions(changes)) {
          revision = await call(() => this.transact(one, lease), this.late);
        }
        return revision;
      },
      watch: (prefix, told, signal) => this.watch({ process, link, prefix, told, signal }),
      close: () => {},
    };
  }

  /** How long a key stands if nobody prolongs its lease, in ms. */
  lasts(key: string): number {
    const lease = this.leases.get(this.keys.get(key)?.lease ?? "");
    return lease === undefined ? -Infinity : lease.ends - this.clock.now();
  }

  get reachable(): boolean {
    return this.state === "up";
  }

  /** SIGKILL; leases get their whole time again when it is back. */
  leave(): void {
    this.state = "away";
    this.queue = [];
    for (const watcher of this.watchers) watcher.fail();
    this.watchers.clear();
  }

  /** SIGSTOP: what arrives waits. */
  fallSilent(): void {
    if (this.state === "up") this.state = "silent";
  }

  back(): void {
    const before = this.state;
    this.state = "up";
    if (before === "away") {
      for (const lease of this.leases.values()) lease.ends = this.clock.now() + lease.ttl * 1000;
    }
    for (const perform of this.queue.splice(0)) perform();
    for (const id of [...this.leases.keys()]) this.watchLease(id);
    this.edgeChanged();
  }

  /** Recreated empty: its revisions begin anew. */
  wipe(): void {
    this.keys.clear();
    this.leases.clear();
    this.drains();
    this.revision = 1;
    this.edgeRevision = 0;
    this.edgeVersion++;
    this.edgeChangedAt = this.clock.now();
  }

  /** A key written, or deleted, by somebody else. */
  put(key: string, value: string | undefined): void {
    this.revision++;
    this.set(key, value === undefined ? undefined : { value, lease: "0" });
  }

  /** Somebody deletes everything. */
  purge(): void {
    this.revision++;
    for (const key of [...this.keys.keys()]) this.set(key, undefined);
  }

  /** Tells soon after a change, nothing while it is silent or cut off, and breaks when etcd goes away. */
  private watch({ process, link, prefix, told, signal }: WatchRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher: Watcher = {
        tell: (key) => {
          if (key !== undefined && !key.startsWith(prefix)) return;
          if (this.state !== "up" || link.cut) return;
          process.in(this.random.between(0, 2), () => !signal.aborted && told());
        },
        fail: () => process.in(this.random.between(0, 2), () => reject(REFUSED)),
      };
      signal.addEventListener("abort", () => {
        this.watchers.delete(watcher);
        resolve();
      }, { once: true });
      this.call(process, link, () => {
        if (!process.alive || signal.aborted) return;
        this.watchers.add(watcher);
        watcher.tell(undefined);
      }).catch(reject);
    });
  }

  private call<T>(process: Process, link: Link, work: () => T, late?: () => void): Promise<T> {
    return new Promise((resolve, reject) =>
      this.request({ link, process, deadline: DEADLINE, late }, work, (value, error) => {
        if (error) reject(error);
        else resolve(value as T);
      })
    );
  }

  private below(prefix: string): ReadonlyMap<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const [key, entry] of this.keys) if (key.startsWith(prefix)) entries.set(key, entry);
    return entries;
  }

  private grant(ttl: number): string {
    const id = String(++this.granted);
    this.leases.set(id, { ttl, ends: this.clock.now() + ttl * 1000 });
    this.watchLease(id);
    return id;
  }

  private keepAlive(id: string): number {
    const lease = this.leases.get(id);
    if (lease === undefined) return 0;
    lease.ends = this.clock.now() + lease.ttl * 1000;
    return lease.ttl;
  }

  private transact({ deletes, puts }: Changes, lease: string): number {
    if (puts.size > 0 && !this.leases.has(lease)) {
      throw new LeaseLostError(`Cannot write: lease ${lease} is gone`);
    }
    this.revision++;
    for (const key of deletes) {
      this.written(key, this.keys.get(key), undefined);
      this.set(key, undefined);
    }
    for (const [key, value] of puts) {
      const entry = { value, lease };
      this.written(key, this.keys.get(key), entry);
      this.set(key, entry);
    }
    return this.revision;
  }

  private set(key: string, entry: Entry | undefined): void {
    if (entry) this.keys.set(key, entry);
    else if (!this.keys.delete(key)) return;
    if (key.startsWith(DRAINS)) {
      this.drains();
      for (const watcher of this.watchers) watcher.tell(key);
    }
    if (!key.startsWith(SERVICES) && !key.startsWith(HOSTS)) return;
    this.edgeRevision = this.revision;
    this.edgeVersion++;
    this.edgeChangedAt = this.clock.now();
    this.edgeChanged();
  }

  private watchLease(id: string): void {
    const lease = this.leases.get(id);
    if (lease === undefined || this.state !== "up") return; // back() watches again
    const left = lease.ends - this.clock.now();
    if (left > 0) this.clock.in(left, () => this.watchLease(id));
    else this.end(id);
  }

  private end(id: string): void {
    if (!this.leases.delete(id)) return;
    this.revision++;
    for (const [key, { lease }] of [...this.keys]) if (lease === id) this.set(key, undefined);
  }
}
