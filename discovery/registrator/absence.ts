// Whose absence this host must not vouch for yet (docs/decisions/absence_per_host.md). Pure; owns no key and no clock.
import type { Entry } from "../etcd/registry.ts";
import { hostKey, HOSTS, SERVICES } from "../keys.ts";
import { decodeRegistration } from "../registration.ts";

/** The hosts of all registrations in `entries`, by their keys. */
export function hostsOf(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, { value }] of entries) {
    const registration = key.startsWith(SERVICES) ? decodeRegistration(key, value) : undefined;
    if (registration) found.set(key, registration.host);
  }
  return found;
}

/** Who of them is missing? The hosts of those `remembered` registrations that are not there. */
export function missingHosts(
  remembered: ReadonlyMap<string, string>,
  entries: ReadonlyMap<string, Entry>,
): readonly string[] {
  const missing = new Set<string>();
  for (const [key, host] of remembered) if (!entries.has(key)) missing.add(host);
  return [...missing].sort();
}

/**
 * Remembers who was there when our voucher last stood, for when it does not any more: etcd has lost
 * it then, and may have lost what others wrote.
 */
export class Absence {
  private asOf: ReadonlyMap<string, Entry> | undefined;
  private remembered: ReadonlyMap<string, string> = new Map();
  private missing: readonly string[] = [];
  /** When etcd was last seen to have lost something of ours, in ms. */
  private lost = 0;
  private end: number | undefined;

  /** `patience`: how long at most others are waited for while etcd answers, in ms. */
  constructor(private readonly host: string, private readonly patience: number) {}

  /** When it is over though nobody has come, in ms; undefined: nobody is waited for. */
  get until(): number | undefined {
    return this.end;
  }

  /**
   * The hosts to wait for before ours may vouch again. `entries`: what stands, one map for each
   * reading, in which our own changes are made. `silent`: when etcd last did not answer.
   */
  waitsFor(
    entries: ReadonlyMap<string, Entry>,
    { now, silent }: { readonly now: number; readonly silent: number },
  ): readonly string[] {
    const own = hostKey(this.host);
    const before = this.asOf;
    this.asOf = entries;
    if (entries.has(own)) {
      this.remembered = new Map();
      this.missing = [];
    } else if (entries !== before) {
      const stood = before ? hostsOf(before) : new Map<string, string>();
      if (before?.has(own)) this.remembered = stood;
      const missing = missingHosts(stood, entries);
      if (before?.has(own) || missing.includes(this.host)) this.lost = now;
      this.missing = anyVouches(entries)
        ? []
        : missingHosts(this.remembered, entries).filter((host) => host !== this.host);
    }
    // Who cannot reach etcd either cannot come back: that time does not count.
    const end = Math.max(this.lost, silent) + this.patience;
    // Not with what was read before: it may be gone by now.
    if (now >= end && entries !== before) this.missing = [];
    this.end = this.missing.length > 0 ? end : undefined;
    return this.missing;
  }
}

/** Then the edge believes what it sees, whatever we do. */
function anyVouches(entries: ReadonlyMap<string, Entry>): boolean {
  for (const key of entries.keys()) if (key.startsWith(HOSTS)) return true;
  return false;
}
