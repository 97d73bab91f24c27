// Makes etcd equal to what the roster wants, for ever: one lease, one writer, the fewest writes. Owns no facts about containers.
import { backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { Doorbell } from "../doorbell.ts";
import {
  type Changes,
  type Entry,
  inTransactions,
  LeaseLostError,
  type Registry,
} from "../etcd/registry.ts";
import { type Log, messageOf } from "../log.ts";
import { isEmpty, type Owner, plan } from "./plan.ts";

/** Our keys as they should stand. */
export interface Desired {
  readonly entries: ReadonlyMap<string, string>;
  /** Those that may have changed since it was asked last; undefined: any of them. */
  readonly changed: ReadonlySet<string> | undefined;
}

/** What the reconciler needs from outside. Times in ms. */
export interface ReconcilerOptions {
  readonly registry: Registry;
  /**
   * Our keys as they should stand now, given what stands (one map until all is read anew) and when etcd last did not
   * answer or had lost our lease; undefined while that is not known: then nothing is written.
   */
  readonly desired: (current: ReadonlyMap<string, Entry>, silent: number) => Desired | undefined;
  /** The prefixes below which our keys lie. */
  readonly prefixes: readonly string[];
  readonly ownerOf: (key: string, value: string) => Owner;
  /** The key whose lease a successor takes over. */
  readonly hostKey: string;
  /** How long the keys outlive their registrator, in seconds. */
  readonly ttl: number;
  /** How often the lease is renewed; a third of `ttl` where it is not set. */
  readonly refresh?: number | undefined;
  /** How often `read` tries again before it gives up, and the longest time between two tries; else for ever, 2 s. */
  readonly retries?: { readonly attempts: number; readonly interval: number } | undefined;
  /** Whether a change may wait a moment for company (`value` undefined: a deletion). */
  readonly patient?: (key: string, value: string | undefined) => boolean;
  /** How often everything is read again, in ms. */
  readonly resync: number;
  readonly log: Log;
  /** Told after every change that etcd has taken, with the store's revision after it. */
  readonly applied?: (changes: Changes, revision: number) => void;
  /** Told when other desired keys than before are held by other owners. */
  readonly taken?: (keys: ReadonlySet<string>) => void;
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Tells the time in ms; must not go back. */
  readonly now?: () => number;
}

/**
 * How long patient changes wait, in ms. A write takes as long as etcd's disk: one that only says
 * `starting` must not hold up the one that says `up`.
 */
const PATIENCE = 100;
/** Of so many resyncs one reads every key, whatever etcd's revision says. */
const READ_ANYWAY = 10;
/**
 * How long at least until it is asked again what others have written, in ms: for each key that they had, and for each
 * that stands there. In a fleet somebody always has written: so what that costs does not grow with how much there is.
 */
const REREAD = { changed: 4, standing: 0.4 } as const;

/** etcd did not answer as often as it was asked to be tried. */
export class GaveUpError extends Error {
  override readonly name = "GaveUpError";
}

/** The one writer of a registrator. */
export class Reconciler {
  private lease: string | undefined;
  /** What we believe etcd holds; undefined: read it before the next change. */
  private mirror: Map<string, Entry> | undefined;
  /** The store's revision that the mirror is of. */
  private revision = 0;
  /** What the mirror was, where it was right but for what others have written since: only that is read then. */
  private outdated: ReadonlyMap<string, Entry> | undefined;
  private resyncs = 0;
  /** Not before that everything is read again only because others have written. */
  private rereadAfter = 0;
  /** The keys that may differ from what etcd holds; undefined: any of them. */
  private suspects: Set<string> | undefined;
  private taken: ReadonlySet<string> = new Set();
  /** When the patient changes that are waiting must be written. */
  private due: number | undefined;
  private healthy: boolean | undefined;
  private silent = -Infinity;
  private readonly bell: Doorbell;
  private readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  private readonly now: () => number;

  constructor(private readonly options: ReconcilerOptions) {
    this.wait = options.wait ?? delay;
    this.now = options.now ?? (() => performance.now());
    this.bell = new Doorbell(this.wait);
  }

  /** Something may have changed: compare and write, now or right after the write under way. */
  poke(): void {
    this.bell.ring();
  }

  /** The same, with all that stands in etcd read anew. */
  look(): void {
    this.forget();
    this.poke();
  }

  /** Whether etcd answered when last asked and holds our lease. */
  get connected(): boolean {
    return this.healthy === true;
  }

  /** The keys of `prefixes` as they stand, read anew; waits for etcd. Throws a GaveUpError after its `retries`. */
  async read(signal: AbortSignal): Promise<ReadonlyMap<string, Entry>> {
    const { attempts, interval } = this.options.retries ?? { attempts: Infinity, interval: 2_000 };
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        await this.ensureLease();
        this.mirror = await this.readKeys();
        this.healed();
        return this.mirror;
      } catch (error) {
        this.failed(error);
        if (tries >= attempts) {
          throw new GaveUpError(`Cannot read from etcd after ${tries + 1} tries`, { cause: error });
        }
        await this.wait(backoff(tries, { first: 100, most: interval }), signal);
      }
    }
    return new Map();
  }

  /** Reconciles until the signal fires; errors are logged and tried again, never thrown. */
  async run(signal: AbortSignal): Promise<void> {
    const keeping = this.keepLease(signal);
    let tries = 0;
    let next = this.now() + this.options.resync;
    while (!signal.aborted) {
      await this.bell.rings(Math.min(next, this.due ?? next) - this.now(), signal);
      if (signal.aborted) break;
      const resync = this.now() >= next;
      if (resync || this.mirror === undefined) next = this.now() + this.options.resync;
      try {
        if (resync) await this.resync();
        await this.reconcile();
        this.healed();
        tries = 0;
      } catch (error) {
        this.forget(); // the write may have happened
        if (error instanceof LeaseLostError) {
          this.lease = undefined;
          tries = 0; // etcd answers: nothing to wait for
        }
        this.failed(error);
        await this.wait(backoff(tries++, { first: 50, most: 2_000 }), signal);
        this.poke();
      }
    }
    await keeping;
  }

  /** Ends the lease and with it every key of ours. Call after run has ended; throws when etcd does not answer. */
  async deregister(): Promise<void> {
    if (this.lease !== undefined) await this.options.registry.revoke(this.lease);
    this.lease = undefined;
  }

  /** Compares all again. What stands is read only if somebody has written, as it may be thousands of keys; and now and then. */
  private async resync(): Promise<void> {
    this.suspects = undefined;
    const { registry } = this.options;
    const anyway = ++this.resyncs % READ_ANYWAY === 0;
    if (anyway) this.forget();
    else if (this.mayReread() && await registry.revision() !== this.revision) this.doubt();
  }

  /** What stands in etcd is not known. */
  private forget(): void {
    this.mirror = this.outdated = undefined;
  }

  /** The store is the same as before, and others have written. */
  private doubt(): void {
    this.outdated = this.mirror ?? this.outdated;
    this.mirror = undefined;
  }

  private mayReread(): boolean {
    return this.now() >= this.rereadAfter;
  }

  private async reconcile(): Promise<void> {
    const lease = await this.ensureLease();
    if (this.mirror === undefined && this.outdated === undefined) this.suspects = undefined;
    const mirror = this.mirror ??= await this.readKeys();
    const desired = this.options.desired(mirror, this.silent);
    if (desired === undefined) return;
    if (desired.changed === undefined) this.suspects = undefined;
    else for (const key of desired.changed) this.suspects?.add(key);
    const { entries } = desired;
    const { ownerOf, hostKey, registry } = this.options;
    const only = this.suspects;
    const situation = { current: mirror, desired: entries, lease, ownerOf };
    const changes = plan(only ? { ...situation, only } : situation);
    const { deletes, taken } = changes;
    this.report(only ? [...[...this.taken].filter((key) => !only.has(key)), ...taken] : taken);
    const puts = withLast(hostKey, changes.puts);
    if (!isEmpty(changes) && this.mayWait(changes)) {
      this.suspects = new Set([...puts.keys(), ...deletes]);
      return;
    }
    this.due = undefined;
    let after = 0;
    if (!isEmpty(changes)) {
      after = await registry.apply({ puts, deletes }, lease);
      // Had somebody else written in between, it would be more; then the next look at it finds a difference.
      if (after === this.revision + inTransactions({ puts, deletes }).length) this.revision = after;
    }
    for (const key of deletes) mirror.delete(key);
    for (const [key, value] of puts) mirror.set(key, { value, lease });
    this.suspects = new Set();
    if (!isEmpty(changes)) this.options.applied?.(changes, after);
  }

  private mayWait({ puts, deletes }: Changes): boolean {
    const { patient } = this.options;
    if (!patient) return false;
    if (!deletes.every((key) => patient(key, undefined))) return false;
    if (![...puts].every(([key, value]) => patient(key, value))) return false;
    this.due ??= this.now() + PATIENCE;
    return this.now() < this.due;
  }

  /** Says once for each key that another owner holds it. */
  private report(keys: readonly string[]): void {
    const before = this.taken;
    if (keys.length === before.size && keys.every((key) => before.has(key))) return;
    this.taken = new Set(keys);
    for (const key of this.taken) {
      if (before.has(key)) continue;
      const reason = "another host owns it: give each instance its own SERVICE_ID";
      this.options.log.warn("key taken", { key, reason });
    }
    this.options.taken?.(this.taken);
  }

  /** Our lease: the one we have, else the predecessor's if it still lives, else a new one. */
  private async ensureLease(): Promise<string> {
    if (this.lease !== undefined) return this.lease;
    const { registry, hostKey, ttl, log } = this.options;
    const inherited = (await registry.list(hostKey)).get(hostKey)?.lease ?? "0";
    const left = inherited === "0" ? 0 : await registry.keepAlive(inherited);
    // One of another duration ends by itself, once every key has moved to ours.
    if (left === ttl) {
      log.info("lease taken over", { lease: inherited });
      return this.lease = inherited;
    }
    const granted = await registry.grant(ttl);
    this.forget();
    log.info("lease granted", { lease: granted, ttl });
    return this.lease = granted;
  }

  private async readKeys(): Promise<Map<string, Entry>> {
    const keys = new Map<string, Entry>();
    const [known, since] = [this.outdated, this.revision];
    this.outdated = undefined;
    this.revision = await this.options.registry.revision(); // first: what changes meanwhile is seen next time
    const stoodBelow = known && divided(known, this.options.prefixes);
    for (const prefix of this.options.prefixes) {
      const stood = stoodBelow?.get(prefix);
      for (
        const [key, entry] of await this.options.registry.list(prefix, stood && { stood, since })
      ) {
        keys.set(key, entry);
      }
    }
    const changed = known ? this.suspect(known, keys) : 0;
    this.rereadAfter = this.now() + REREAD.changed * changed + REREAD.standing * keys.size;
    // Between two of these etcd may have lost everything: what was read after that looks as if it had never been, and
    // what was read before that as if it were still there, so that our voucher alone would seem to be missing.
    const { hostKey, registry } = this.options;
    const lost = keys.has(hostKey) && !(await registry.list(hostKey)).has(hostKey);
    return lost ? await this.readKeys() : keys;
  }

  /** Whatever differs is to be looked at; returns how many these are. */
  private suspect(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): number {
    const different: string[] = [];
    for (const [key, entry] of after) if (before.get(key) !== entry) different.push(key);
    for (const key of before.keys()) if (!after.has(key)) different.push(key);
    for (const key of different) this.suspects?.add(key);
    return different.length;
  }

  private async keepLease(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A third of the TTL leaves two more tries; after a failure the lease may be short of time.
      const { ttl, refresh = ttl * 1000 / 3 } = this.options;
      await this.wait(this.healthy === false ? 500 : refresh, signal);
      const { lease } = this;
      if (lease === undefined || signal.aborted) continue;
      try {
        const { registry, log } = this.options;
        if (await registry.keepAlive(lease) > 0) {
          this.healed();
          if (!this.mayReread() || await registry.revision() === this.revision) continue;
          log.debug("etcd changed by others", { effect: "reading what has changed" });
          this.doubt();
          this.poke();
          continue;
        } else {
          log.warn("lease lost", { lease });
          if (this.lease === lease) this.lease = undefined;
        }
      } catch (error) {
        this.failed(error);
      }
      // etcd lost the lease, or was away and may be another one now: read everything again.
      this.look();
    }
  }

  private healed(): void {
    if (this.healthy === false) this.options.log.info("etcd answers again");
    this.healthy = true;
  }

  private failed(error: unknown): void {
    this.silent = this.now();
    const lost = error instanceof LeaseLostError;
    // Once for each outage: a line every 100 ms helps nobody.
    if (this.healthy !== false) {
      this.options.log.warn(lost ? "lease lost" : "waiting for etcd", {
        error: messageOf(error),
        effect: "keys stay as they are until the lease ends; trying again",
      });
    }
    this.healthy = false;
  }
}

/** Where many keys need several transactions, the one that vouches for them must not precede them. */
function withLast(key: string, puts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const value = puts.get(key);
  if (value === undefined) return puts;
  return new Map([...[...puts].filter(([other]) => other !== key), [key, value]]);
}

/** By prefix, of which none is below another: in one pass, as there may be ten thousand. */
function divided(
  entries: ReadonlyMap<string, Entry>,
  prefixes: readonly string[],
): ReadonlyMap<string, ReadonlyMap<string, Entry>> {
  const parts = new Map(prefixes.map((prefix) => [prefix, new Map<string, Entry>()]));
  for (const [key, entry] of entries) {
    const prefix = prefixes.find((prefix) => key.startsWith(prefix));
    if (prefix !== undefined) parts.get(prefix)!.set(key, entry);
  }
  return parts;
}
