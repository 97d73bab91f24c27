// What a fleet of any size should cost, from what its parts cost alone. Pure; the blocks are measured, not guessed.

/** What is measured alone. */
export interface Blocks {
  /** From Docker's event to the key, ms (scripts/measure/registrator.ts). */
  readonly toKey: number;
  /** From a key to live, p50 in ms, by how much is registered (scripts/measure/edge_sizes.ts). */
  readonly toLive: {
    readonly least: Registered;
    readonly instances: Registered;
    /** As many instances as in `instances`, in more services. */
    readonly services: Registered;
  };
}

/** How long a change took beside so much. */
export interface Registered {
  readonly instances: number;
  readonly services: number;
  readonly ms: number;
}

/** From docs/measurements.md. */
export const BLOCKS: Blocks = {
  toKey: 10,
  toLive: {
    least: { instances: 10, services: 1, ms: 89 },
    instances: { instances: 10_000, services: 1, ms: 214 },
    services: { instances: 10_000, services: 1_000, ms: 823 },
  },
};

/** Docker's event → live for a change at rest, p50 in ms: so much for any, so much for each instance and each service. */
export function changeToLive(
  { instances, services }: { readonly instances: number; readonly services: number },
  { toKey, toLive }: Blocks = BLOCKS,
): number {
  const { least, instances: many, services: split } = toLive;
  const perInstance = (many.ms - least.ms) / (many.instances - least.instances);
  const perService = (split.ms - many.ms) / (split.services - many.services);
  const fixed = least.ms - perInstance * least.instances;
  return toKey + fixed + perInstance * instances + perService * (services - least.services);
}

/**
 * Requests to etcd each second by `hosts` registrators at rest: renewal and revision each third of the TTL, drains each
 * 5 s, and the revision again at each resync; times in s.
 */
export function requestsAtRest(hosts: number, { ttl = 15, resync = 30 } = {}): number {
  return hosts * (2 * 3 / ttl + 1 / 5 + 1 / resync);
}

/**
 * How many changes each second etcd's quota has room for, for ever: what is compacted is between one and two
 * `retention`s old, and the room of what was compacted is used again.
 */
export function sustainable(
  { quota, perChange, retention }: {
    /** Bytes. */
    readonly quota: number;
    /** Bytes of history for one change. */
    readonly perChange: number;
    /** How long history is kept, s. */
    readonly retention: number;
  },
): number {
  return quota / (perChange * 2 * retention);
}
