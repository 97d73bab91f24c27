// What the page needs of etcd, and no more: what changed since it last looked. Reads only; owns no meaning of a key.
import type { Entry, Registry } from "../etcd/registry.ts";

/** What changed in etcd; of a deleted key the entry is undefined. */
export type KeyChanges = ReadonlyMap<string, Entry | undefined>;

/**
 * The keys that the page shows. Every call is one attempt with a deadline and throws when it fails;
 * what changed meanwhile is in the next answer.
 */
export interface KeySource {
  /** Everything at the first call, then what changed since the call before. */
  changes(): Promise<KeyChanges>;
  /** The seconds until a lease ends, 0 when it is gone. */
  secondsLeft(lease: string): Promise<number>;
  /** Ends all connections. */
  close(): void;
}

/** From two states to what changed between them. */
export function difference(
  before: ReadonlyMap<string, Entry>,
  after: ReadonlyMap<string, Entry>,
): KeyChanges {
  const changes = new Map<string, Entry | undefined>();
  for (const [key, entry] of after) {
    const known = before.get(key);
    if (known?.value !== entry.value || known.lease !== entry.lease) changes.set(key, entry);
  }
  for (const key of before.keys()) if (!after.has(key)) changes.set(key, undefined);
  return changes;
}

/** A KeySource for tests and simulation: any Registry, read whole each time. Its leases last. */
export class RegistryKeySource implements KeySource {
  private known: ReadonlyMap<string, Entry> = new Map();

  constructor(
    private readonly registry: Pick<Registry, "list" | "close">,
    private readonly prefixes: readonly string[],
  ) {}

  async changes(): Promise<KeyChanges> {
    const now = new Map<string, Entry>();
    for (const prefix of this.prefixes) {
      for (const [key, entry] of await this.registry.list(prefix)) now.set(key, entry);
    }
    const changes = difference(this.known, now);
    this.known = now;
    return changes;
  }

  secondsLeft(): Promise<number> {
    return Promise.resolve(15);
  }

  close(): void {
    this.registry.close();
  }
}
