// What discovery needs of etcd, and no more: leased keys, read and changed. The seam between the registrator and etcd3.

/** A key as it stands in etcd. */
export interface Entry {
  readonly value: string;
  /** The lease it hangs on, NO_LEASE when none. */
  readonly lease: string;
}

/** All that stood below a prefix at a revision, or later. */
export interface Known {
  readonly stood: ReadonlyMap<string, Entry>;
  readonly since: number;
}

/** What to write and what to delete. */
export interface Changes {
  readonly puts: ReadonlyMap<string, string>;
  readonly deletes: readonly string[];
}

/**
 * A store of leased keys. Every call throws when its deadline passes or the store does not answer:
 * a change may have happened all the same, so read again before the next one.
 */
export interface Registry {
  /**
   * Every key that begins with `prefix`, at one moment. `known`, where given, is what stood there before, in this very
   * store: then only what has changed since need be asked for. The result is the same.
   */
  list(prefix: string, known?: Known): Promise<ReadonlyMap<string, Entry>>;
  /** How often the whole store has been changed, by anybody: the same number as before means that nothing has. */
  revision(): Promise<number>;
  /** A new lease that ends `ttl` seconds after its last keepAlive; returns its id. */
  grant(ttl: number): Promise<string>;
  /** Prolongs a lease; returns the seconds it has left then, 0 when it is gone. */
  keepAlive(lease: string): Promise<number>;
  /** Ends a lease and deletes the keys on it; of no effect when it is gone. */
  revoke(lease: string): Promise<void>;
  /**
   * Deletes, then writes on `lease`, or on none where that is `NO_LEASE`. At most 128 operations are
   * one transaction; what is more follows in further ones, in the order given, deletes first. Each
   * that changes anything makes one revision; returns the revision after the last one, 0 when there
   * was nothing to do.
   * Throws LeaseLostError, having written nothing of that transaction, when the lease is gone.
   */
  apply(changes: Changes, lease: string): Promise<number>;
  /**
   * Calls `told` when it listens, and soon after any change below `prefix`, until the signal fires. Rejects when the
   * stream breaks: what changes then is not told. A hint and no more, as a silent store tells nothing: look all the
   * same from time to time.
   */
  watch(prefix: string, told: () => void, signal: AbortSignal): Promise<void>;
  /** Ends all connections. */
  close(): void;
}

/** Keys that are written on it stay until somebody deletes them. */
export const NO_LEASE = "0";

/** The lease is gone, and every key on it: grant another and write anew. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** etcd's default limit of operations in one transaction (--max-txn-ops). */
export const MOST_OPERATIONS = 128;
/** Below etcd's default limit of a request, 1.5 MiB (--max-request-bytes), with room for what goes around it. */
export const MOST_BYTES = 1_000_000;

/** Splits changes into transactions, deletes first: who leaves, leaves at once. */
export function inTransactions({ deletes, puts }: Changes): readonly Changes[] {
  const transactions: Array<{ deletes: string[]; puts: Map<string, string> }> = [];
  let operations = Infinity;
  let bytes = 0;
  const room = (key: string, value: string) => {
    const size = 3 * (key.length + value.length); // a UTF-16 unit is three bytes of UTF-8 at most
    if (++operations > MOST_OPERATIONS || (bytes += size) > MOST_BYTES) {
      transactions.push({ deletes: [], puts: new Map() });
      operations = 1;
      bytes = size;
    }
    return transactions.at(-1)!;
  };
  for (const key of deletes) room(key, "").deletes.push(key);
  for (const [key, value] of puts) room(key, value).puts.set(key, value);
  return transactions;
}
