// The KeySource on etcd, by etcd3's plain gRPC clients: a cheap question for the revision, and then only what changed.
import type { CallOptions } from "@grpc/grpc-js";
import { EtcdConnection } from "../etcd/etcd_connection.ts";
import type { EtcdPlace } from "../etcd/etcd_place.ts";
import type { Entry } from "../etcd/registry.ts";
import { difference, type KeyChanges, type KeySource } from "./key_source.ts";

/** How to reach etcd, and what to read there. */
export interface EtcdKeySourceOptions extends EtcdPlace {
  /** ASCII. Keys below any of them are read. */
  readonly prefixes: readonly string[];
  /** How long one call may take, in ms. */
  readonly deadline?: number;
}

/**
 * Asks again and again instead of watching: etcd3's watchers end for good on compaction and keep
 * quiet about a silent etcd (docs/decisions/etcd3_plain_clients.md), and a question that costs etcd
 * a few microseconds has neither of these states.
 */
export class EtcdKeySource implements KeySource {
  private readonly connection: EtcdConnection;
  private readonly known = new Map<string, Entry>();
  /** The revision that `known` is of. */
  private revision = 0;

  constructor(private readonly options: EtcdKeySourceOptions) {
    this.connection = new EtcdConnection(options);
  }

  async changes(): Promise<KeyChanges> {
    const { header } = await this.connection.call(({ kv }) =>
      kv.range({ ...below(this.options.prefixes[0]!), count_only: true }, this.deadline())
    );
    const revision = Number(header.revision);
    if (revision === this.revision) return new Map();
    // Backwards: another etcd, or one that was restored. Nothing that we know is of use.
    const since = revision < this.revision ? 0 : this.revision;
    return since === 0 ? await this.everything() : await this.later(since);
  }

  async secondsLeft(lease: string): Promise<number> {
    const { TTL } = await this.connection.call(({ leaseClient }) =>
      leaseClient.leaseTimeToLive({ ID: lease }, this.deadline())
    );
    return Math.max(0, Number(TTL));
  }

  close(): void {
    this.connection.close();
  }

  private async everything(): Promise<KeyChanges> {
    const { entries, revision } = await this.read({});
    const changes = difference(this.known, entries);
    this.keep(changes, revision);
    return changes;
  }

  /** What was written after the revision `since`; a count that does not add up tells that keys were deleted. */
  private async later(since: number): Promise<KeyChanges> {
    const { entries, revision, count } = await this.read({ min_mod_revision: since + 1 });
    const changes = new Map<string, Entry | undefined>(entries);
    const all = new Set([...this.known.keys(), ...entries.keys()]);
    if (all.size !== count) {
      const { entries: left } = await this.read({ keys_only: true, revision });
      for (const key of all) if (!left.has(key)) changes.set(key, undefined);
    }
    this.keep(changes, revision);
    return changes;
  }

  private keep(changes: KeyChanges, revision: number): void {
    for (const [key, entry] of changes) {
      if (entry) this.known.set(key, entry);
      else this.known.delete(key);
    }
    this.revision = revision;
  }

  /** All prefixes in one transaction, so at one moment. */
  private async read(
    how: { min_mod_revision?: number; keys_only?: boolean; revision?: number },
  ): Promise<{ entries: Map<string, Entry>; revision: number; count: number }> {
    const success = this.options.prefixes.map((prefix) => (
      { request_range: { ...below(prefix), ...how } as never }
    ));
    const { header, responses } = await this.connection.call(({ kv }) =>
      kv.txn({ success }, this.deadline())
    );
    const entries = new Map<string, Entry>();
    let count = 0;
    for (const { response_range } of responses) {
      count += Number(response_range.count);
      for (const { key, value, lease } of response_range.kvs) {
        entries.set(key.toString(), { value: value?.toString() ?? "", lease });
      }
    }
    return { entries, revision: Number(header.revision), count };
  }

  private deadline(): CallOptions {
    return { deadline: Date.now() + (this.options.deadline ?? 2_000) };
  }
}

/** etcd's range of the keys that begin with `prefix`. */
function below(prefix: string): { key: never; range_end: never } {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1; // ASCII, never 0xff
  return { key: Buffer.from(prefix) as never, range_end: end as never };
}
