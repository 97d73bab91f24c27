// Current keys and desired keys in, changes out. Pure: no clock, no log, no I/O.
import type { Changes, Entry } from "../etcd/registry.ts";

/** Whose a key is, given its value: `nobody` may be overwritten by whoever needs it, and deleted by nobody. */
export type Owner = "us" | "nobody" | "another";

/** What `plan` decides on. */
export interface Situation {
  /** Every key below our prefixes, other owners' included. */
  readonly current: ReadonlyMap<string, Entry>;
  readonly desired: ReadonlyMap<string, string>;
  /** Our lease: a key of ours that hangs on another one is written again. */
  readonly lease: string;
  readonly ownerOf: (key: string, value: string) => Owner;
  /** The keys to look at; without it all of them. */
  readonly only?: Iterable<string>;
}

/** Changes, and the desired keys, of those looked at, that another owner holds. */
export interface Plan extends Changes {
  readonly taken: readonly string[];
}

/**
 * The fewest changes that make our keys equal `desired`. A key is written only when its value or
 * its lease differs, deleted only when it is ours, and never taken from another owner.
 */
export function plan({ current, desired, lease, ownerOf, only }: Situation): Plan {
  const puts = new Map<string, string>();
  const deletes: string[] = [];
  const taken: string[] = [];
  for (const key of only ?? new Set([...desired.keys(), ...current.keys()])) {
    const wanted = desired.get(key);
    const entry = current.get(key);
    if (wanted === undefined) {
      if (entry && ownerOf(key, entry.value) === "us") deletes.push(key);
    } else if (entry === undefined) puts.set(key, wanted);
    else if (entry.value === wanted && entry.lease === lease) continue;
    else if (ownerOf(key, entry.value) === "another") taken.push(key);
    else puts.set(key, wanted);
  }
  return { puts, deletes, taken };
}

/** Nothing to do. */
export function isEmpty({ puts, deletes }: Changes): boolean {
  return puts.size === 0 && deletes.length === 0;
}
