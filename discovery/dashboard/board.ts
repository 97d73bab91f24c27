// What the page knows now, and what has changed since any earlier moment. Pure but for the time it is given; owns no looks.
import { HOSTS } from "../keys.ts";
import { decodeVoucher } from "../registration.ts";
import { changeId } from "../trace.ts";
import type { KeyChanges } from "./key_source.ts";
import { Keys, orderOf, type Row } from "./row.ts";

/** A row with what the page needs to place it. */
export interface Placed {
  /** Short, and the same as long as the row is there. */
  readonly tag: string;
  readonly order: string;
  readonly row: Row;
  /** When it last changed. */
  readonly version: number;
}

/** One line of the timeline. */
export interface Change {
  /** Its id in logs; undefined where nobody knows it. */
  readonly id: string | undefined;
  readonly service: string;
  readonly name: string;
  /** `""`: it was not there before, or is not any more. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** When it happened, in ms since 1970, as the registrator tells. */
  readonly at: number;
  /** From there until nginx had it, in ms; undefined: not yet, or of no concern to nginx. */
  readonly live: number | undefined;
}

/** A registrator that vouches for its host. */
export interface Vouching {
  readonly host: string;
  readonly version: string;
  readonly lease: string;
}

/** A row that is gone. */
export interface Removed {
  readonly tag: string;
  readonly service: string;
  readonly version: number;
}

interface Waiting {
  readonly address: string;
  readonly there: boolean;
}

/** What nginx serves: the instances' addresses, and since when, in ms since 1970. */
export interface Live {
  readonly addresses: ReadonlySet<string>;
  readonly at: number;
}

/** Lines of the timeline that are kept. */
const TIMELINE = 30;
/** Removed rows that are remembered; who has not looked for longer reads everything. */
const REMOVED = 5_000;
/** After so many ms nobody waits for nginx any more: it may be that another change took the first one back. */
const PATIENCE = 30_000;

/** Rows, timeline and vouchers. Each change gives it a higher version. */
export class Board {
  private readonly keys = new Map<string, Placed>();
  private readonly known = new Keys();
  private readonly vouchers = new Map<string, Vouching>();
  private readonly removed: Removed[] = [];
  private forgotten = 0;
  private timeline: Change[] = [];
  private readonly waiting = new Map<Change, Waiting>();
  private tags = 0;
  private complete = false;
  private timelineVersion = 0;
  version = 0;

  /** Takes what changed in etcd. `now` in ms since 1970. */
  take(changes: KeyChanges, now: number): void {
    if (changes.size === 0) return void (this.complete = true);
    this.version++;
    for (const [key, entry] of changes) {
      this.known.take(key, entry);
      if (!key.startsWith(HOSTS)) continue;
      const voucher = entry && decodeVoucher(entry.value);
      if (voucher) this.vouchers.set(key, { ...voucher, lease: entry.lease });
      else this.vouchers.delete(key);
    }
    const gone = new Set(this.keys.keys());
    for (const row of this.known.rows()) {
      gone.delete(row.id);
      this.place(row, now);
    }
    for (const id of gone) this.remove(id, now);
    this.complete = true;
  }

  /** Takes what nginx serves now: notes how long each change took until it was live, and returns those that are now. */
  live({ addresses, at }: Live, now: number): readonly Change[] {
    const settled: Change[] = [];
    for (const [change, { address, there }] of this.waiting) {
      if (addresses.has(address) === there) {
        this.waiting.delete(change);
        // nginx has had it before it happened: it was never out, or clocks differ.
        if (at < change.at) continue;
        const index = this.timeline.indexOf(change);
        if (index < 0) continue;
        this.timeline[index] = { ...change, live: Math.round(at - change.at) };
        this.timelineVersion = ++this.version;
        settled.push(this.timeline[index]);
      } else if (now - change.at > PATIENCE) this.waiting.delete(change);
    }
    return settled;
  }

  /** Takes the addresses from which nginx gets no answer. */
  silent(addresses: ReadonlySet<string>): void {
    for (const [id, placed] of this.keys) {
      const unanswered = placed.row.state === "up" && addresses.has(placed.row.address);
      if (placed.row.unanswered === unanswered) continue;
      this.keys.set(id, { ...placed, row: { ...placed.row, unanswered }, version: ++this.version });
    }
  }

  /** Whether something in the timeline waits for nginx. */
  get unsettled(): boolean {
    return this.waiting.size > 0;
  }

  /** The rows of each service, both in the page's order; those of no service (`""`) last. */
  services(): ReadonlyMap<string, readonly Placed[]> {
    const services = new Map<string, Placed[]>();
    for (const placed of this.keys.values()) {
      const rows = services.get(placed.row.service);
      if (rows) rows.push(placed);
      else services.set(placed.row.service, [placed]);
    }
    for (const rows of services.values()) rows.sort((a, b) => compare(a.order, b.order));
    const last = (name: string) => name || "\uffff";
    return new Map([...services].sort(([a], [b]) => compare(last(a), last(b))));
  }

  /** Every row, in no order. */
  rows(): Iterable<Placed> {
    return this.keys.values();
  }

  /** The addresses that nginx should serve. */
  wanted(): ReadonlySet<string> {
    const addresses = new Set<string>();
    for (const { row } of this.keys.values()) if (row.wanted) addresses.add(row.address);
    return addresses;
  }

  /** The rows that were removed after `version`; undefined: that is too long ago to tell. */
  removedSince(version: number): readonly Removed[] | undefined {
    if (version < this.forgotten || version > this.version) return undefined;
    return this.removed.filter((gone) => gone.version > version);
  }

  /** A higher version, for what is shown beside the rows. */
  advance(): number {
    return ++this.version;
  }

  /** The last changes, the newest first, and the version at which they last changed. */
  changes(): { readonly changes: readonly Change[]; readonly version: number } {
    return { changes: this.timeline, version: this.timelineVersion };
  }

  /** Who vouches. */
  hosts(): readonly Vouching[] {
    return [...this.vouchers.values()];
  }

  private place(row: Row, now: number): void {
    const before = this.keys.get(row.id);
    // A status does not tell the address: whoever leaves keeps the one it had.
    const known = before && row.address === "" ? { ...row, address: before.row.address } : row;
    const unanswered = known.state === "up" && before?.row.unanswered === true;
    const kept = { ...known, unanswered };
    if (before && same(before.row, kept)) return;
    const moved = before && before.row.service !== row.service;
    if (moved) this.forget(before);
    const tag = before && !moved ? before.tag : `r${++this.tags}`;
    this.keys.set(row.id, { tag, order: orderOf(row), row: kept, version: this.version });
    if (before?.row.state !== row.state || before.row.wanted !== row.wanted) {
      this.note(before?.row, kept, now);
    }
  }

  private remove(id: string, now: number): void {
    const placed = this.keys.get(id)!;
    this.keys.delete(id);
    this.forget(placed);
    this.note(placed.row, { ...placed.row, reason: "", since: "", wanted: false }, now, true);
  }

  private forget({ tag, row: { service } }: Placed): void {
    this.removed.push({ tag, service, version: this.version });
    if (this.removed.length > REMOVED) this.forgotten = this.removed.shift()!.version;
  }

  private note(before: Row | undefined, after: Row, now: number, gone = false): void {
    if (!this.complete) return; // all there is at the start is no change
    const at = Date.parse(after.since);
    // Who is gone without a word has the id of its coming.
    const since = gone && after.since === "" ? before?.since : after.since;
    const change: Change = {
      id: changeId(after.containerId, since),
      service: after.service,
      name: after.name,
      from: before?.state ?? "",
      to: gone ? "" : after.state,
      reason: after.reason,
      // A time that is far off is of another moment, or of a wrong clock.
      at: Math.abs(now - at) < PATIENCE ? at : now,
      live: undefined,
    };
    const was = before?.wanted ?? false;
    if (was !== after.wanted) {
      this.waiting.set(change, { address: after.address, there: after.wanted });
    }
    this.timeline = [change, ...this.timeline].slice(0, TIMELINE);
    this.timelineVersion = this.version;
  }
}

function same(a: Row, b: Row): boolean {
  return a.state === b.state && a.reason === b.reason && a.note === b.note &&
    a.unanswered === b.unanswered && a.since === b.since &&
    a.address === b.address && a.weight === b.weight && a.wanted === b.wanted &&
    a.name === b.name && a.service === b.service && a.host === b.host;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
