// etcd in memory with everything that can be wrong with it: silent, away, slow, wiped, replies lost. Owns no key's meaning.
import {
  type Changes,
  type Entry,
  inTransactions,
  LeaseLostError,
  type Registry,
} from "../../../discovery/etcd/registry.ts";
import { HOSTS, SERVICES } from "../../../discovery/keys.ts";
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

export class SimulatedEtcd {
  readonly keys = new Map<string, Entry>();
  private readonly leases = new Map<string, { readonly ttl: number; ends: number }>();
  private granted = 0;
  private queue: Array<() => void> = [];
  private state: "up" | "away" | "silent" = "up";
  revision = 1;
  /** The revision and the time at which what the edge reads was changed last. */
  edgeRevision = 0;
  edgeChangedAt = 0;
  /** Changes are made and their replies are lost. */
  losesReplies = false;
  /** An answer takes up to that many ms more. */
  slow = 0;
  /** Told of every change of a registrator. */
  written: Written = () => {};
  /** Told when a write is made after its registrator has given it up: it may have asked for the opposite since. */
  late: () => void = () => {};
  /** Told when what the edge reads has changed. */
  edgeChanged: () => void = () => {};

  constructor(private readonly clock: VirtualClock, private readonly random: Random) {}

  /** One request: `work` is done in etcd, `done` in the process that asked. */
  request<T>(
    { link, process, deadline, late }: {
      readonly link: Link;
      readonly process: Process;
      readonly deadline: number;
      readonly late?: () => void;
    },
    work: () => T,
    done: (answer: { readonly value: T } | { readonly error: Error }) => void,
  ): void {
    const { clock, random } = this;
    let open = true;
    const finish = (answer: { readonly value: T } | { readonly error: Error }) => {
      if (!open) return;
      open = false;
      deadlineTimer.run = undefined;
      done(answer);
    };
    const deadlineTimer = process.in(
      deadline,
      () => finish({ error: new Error("no answer in time") }),
    );
    const perform = () => {
      if (!open) late?.();
      let answer: { readonly value: T } | { readonly error: Error };
      try {
        answer = { value: work() };
      } catch (error) {
        answer = { error: error as Error };
      }
      if (this.losesReplies || link.cut) return;
      process.in(random.between(0, 1) + random.between(0, this.slow), () => finish(answer));
    };
    clock.in(random.between(0, 1) + random.between(0, this.slow), () => {
      if (link.cut) return;
      if (this.state === "silent") this.queue.push(perform);
      else if (this.state === "up") perform();
      else process.in(1, () => finish({ error: new Error("connection refused") }));
    });
  }

  /** The Registry of one process. */
  registry(
    process: Process,
    link: Link,
    seen: (prefix: string, entries: ReadonlyMap<string, Entry>) => void,
  ): Registry {
    const call = <T>(work: () => T, late = () => {}): Promise<T> =>
      new Promise((resolve, reject) =>
        this.request({ link, process, deadline: DEADLINE, late }, work, (answer) => {
          if ("value" in answer) resolve(answer.value);
          else reject(answer.error);
        })
      );
    return {
      list: async (prefix) => {
        const entries = await call(() =>
          new Map([...this.keys].filter(([key]) => key.startsWith(prefix)))
        );
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
      // Nobody drains by hand here: there is nothing that a watch could tell.
      watch: (_, told, signal) => {
        told();
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
      },
      close: () => {},
    };
  }

  get reachable(): boolean {
    return this.state === "up";
  }

  /** SIGKILL; leases get their whole time again when it is back. */
  leave(): void {
    this.state = "away";
    this.queue = [];
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
    this.revision = 1;
    this.edgeRevision = 0;
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
    if (!key.startsWith(SERVICES) && !key.startsWith(HOSTS)) return;
    this.edgeRevision = this.revision;
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
