// The Registry's twin in memory, for tests and simulation: the same promises, a clock that the caller moves.
import {
  type Changes,
  type Entry,
  inTransactions,
  type Known,
  LeaseLostError,
  NO_LEASE,
  type Registry,
} from "./registry.ts";

/** A Registry without etcd. Leases end by `now`, which tests move. */
export class MemoryRegistry implements Registry {
  private readonly keys = new Map<string, Entry>();
  private readonly leases = new Map<string, { readonly ttl: number; ends: number }>();
  private lastLease = 0;
  private changes = 1;
  private readonly watches = new Map<() => void, { prefix: string; fail: (e: Error) => void }>();
  /** Transactions applied, so that tests can see that nothing is written twice. */
  readonly applied: Changes[] = [];
  /** Thrown by every call while set: etcd is away. */
  failure: Error | undefined;
  /** While set, changes are made and their reply is lost. */
  deaf = false;

  /** `now` tells the time in ms. */
  constructor(private readonly now: () => number = Date.now) {}

  async list(prefix: string, _known?: Known): Promise<ReadonlyMap<string, Entry>> {
    await this.answer();
    return new Map([...this.keys].filter(([key]) => key.startsWith(prefix)).sort());
  }

  async revision(): Promise<number> {
    await this.answer();
    return this.changes;
  }

  async grant(ttl: number): Promise<string> {
    await this.answer();
    const lease = String(++this.lastLease);
    this.leases.set(lease, { ttl, ends: this.now() + ttl * 1000 });
    return lease;
  }

  async keepAlive(lease: string): Promise<number> {
    await this.answer();
    const found = this.leases.get(lease);
    if (!found) return 0;
    found.ends = this.now() + found.ttl * 1000;
    return found.ttl;
  }

  async revoke(lease: string): Promise<void> {
    await this.answer();
    this.end(lease);
  }

  async apply(changes: Changes, lease: string): Promise<number> {
    const transactions = inTransactions(changes);
    for (const transaction of transactions) {
      await this.answer();
      if (transaction.puts.size > 0 && lease !== NO_LEASE && !this.leases.has(lease)) {
        throw new LeaseLostError(`Cannot write: lease ${lease} is gone`);
      }
      const deleted = transaction.deletes.filter((key) => this.keys.delete(key));
      if (deleted.length + transaction.puts.size > 0) this.changes++;
      for (const [key, value] of transaction.puts) this.keys.set(key, { value, lease });
      this.tell([...deleted, ...transaction.puts.keys()]);
      this.applied.push(transaction);
      if (this.deaf) throw new Error("Cannot write: no answer in time");
    }
    return transactions.length > 0 ? this.changes : 0;
  }

  async watch(prefix: string, told: () => void, signal: AbortSignal): Promise<void> {
    await this.answer();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const own = () => told(); // the same function may be told of two prefixes
    this.watches.set(own, { prefix, fail: reject });
    const stop = () => resolve();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    else told();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", stop);
      this.watches.delete(own);
    }
  }

  /** Every watch breaks. */
  cutWatches(): void {
    for (const { fail } of this.watches.values()) fail(new Error("Cannot watch: the stream broke"));
  }

  close(): void {}

  /** The keys as they stand at this moment, for whoever looks on. */
  get standing(): readonly string[] {
    return [...this.keys.keys()];
  }

  /** A key written by somebody else, with no lease. */
  put(key: string, value: string): void {
    this.keys.set(key, { value, lease: NO_LEASE });
    this.changes++;
    this.tell([key]);
  }

  /** A key deleted by somebody else. */
  delete(key: string): void {
    if (!this.keys.delete(key)) return;
    this.changes++;
    this.tell([key]);
  }

  /** etcd restarted: it gives every lease its whole time again, as none has ended while it was down. */
  restart(): void {
    for (const lease of this.leases.values()) lease.ends = this.now() + lease.ttl * 1000;
  }

  /** etcd recreated empty: keys and leases are gone. */
  wipe(): void {
    this.keys.clear();
    this.leases.clear();
    this.changes = 1;
  }

  private async answer(): Promise<void> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
    for (const [lease, { ends }] of this.leases) if (ends <= this.now()) this.end(lease);
  }

  private end(lease: string): void {
    this.leases.delete(lease);
    const ended = [...this.keys].flatMap(([key, entry]) => entry.lease === lease ? [key] : []);
    for (const key of ended) this.keys.delete(key);
    if (ended.length > 0) this.changes++;
    this.tell(ended);
  }

  private tell(keys: readonly string[]): void {
    for (const [told, { prefix }] of this.watches) {
      if (keys.some((key) => key.startsWith(prefix))) told();
    }
  }
}
