// Reads all keys below a prefix from etcd: page by page, or only what has changed since. Owns no connection.
import type { Entry, Known } from "./registry.ts";

/** etcd's RangeRequest, as much of it as is used here. */
export interface Range {
  readonly key: Uint8Array;
  readonly range_end: Uint8Array;
  /** At this revision; 0: the newest. */
  readonly revision?: string;
  readonly limit?: number;
  /** Only keys that were written at this revision or later. `count` counts the others as well. */
  readonly min_mod_revision?: number;
  readonly keys_only?: boolean;
  readonly count_only?: boolean;
}

/** etcd's RangeResponse, likewise. */
export interface Ranged {
  readonly header: { readonly revision: string };
  readonly kvs: readonly {
    readonly key: Buffer;
    readonly value: Buffer;
    readonly lease: string;
  }[];
  readonly more: boolean;
  readonly count: string;
}

/** What is needed of etcd. */
export interface RangeStore {
  range(request: Range): Promise<Ranged>;
  /** How many keys there are in each of these ranges, of which there are 128 at most. */
  counts(requests: readonly Range[]): Promise<readonly number[]>;
}

/**
 * How many keys one call asks for. When etcd comes back, every registrator reads everything at the same moment, and
 * etcd builds each answer in memory as a whole: a hundred times ten thousand keys would be more than it has.
 */
const PAGE = 1_000;
/** Into so many parts the keys are divided to find those that are gone. */
const PARTS = 100;
/** Where keys are gone from more parts than that, all are read: it costs no more. */
const MOST_PARTS = 30;

/** Every key below `prefix`, at one moment. */
export async function allIn(
  store: RangeStore,
  prefix: string,
): Promise<ReadonlyMap<string, Entry>> {
  return (await pages(store, prefix)).entries;
}

/**
 * The same by asking for what has been written since, and by counting what is gone: of ten thousand keys others may
 * have written two, and reading all would cost a second of an interpreter. Undefined where that does not tell, as keys
 * are gone from everywhere, or what was known does not fit.
 */
export async function changedIn(
  store: RangeStore,
  prefix: string,
  { stood, since }: Known,
): Promise<ReadonlyMap<string, Entry> | undefined> {
  const changed = await pages(store, prefix, since + 1);
  const { revision, count } = changed;
  if (Number(revision) < since) return undefined;
  const entries = new Map(stood);
  for (const [key, entry] of changed.entries) entries.set(key, entry);
  if (entries.size > count) {
    const kept = await withoutGone(store, prefix, [...entries.keys()].sort(), revision);
    if (kept === undefined) return undefined;
    for (const key of entries.keys()) if (!kept.has(key)) entries.delete(key);
  }
  return entries.size === count ? entries : undefined;
}

/** The keys that were written at a revision or later, the revision that this is of, and how many keys there are in all. */
async function pages(store: RangeStore, prefix: string, min_mod_revision = 0) {
  const entries = new Map<string, Entry>();
  const range_end = after(prefix);
  let key = bytes(prefix);
  let revision = "0"; // the newest; then that of the first page, so that all are of one moment
  let count: number | undefined;
  for (let more = true; more;) {
    const page = await store.range({ key, range_end, limit: PAGE, revision, min_mod_revision });
    for (const kv of page.kvs) entries.set(...entryOf(kv));
    more = page.more;
    revision = page.header.revision;
    count ??= Number(page.count); // later ones count from their first key on
    const last = page.kvs.at(-1);
    if (last) key = Buffer.concat([last.key, Buffer.of(0)]); // the first that can follow it
  }
  return { entries, revision, count: count ?? 0 };
}

/** Those of `keys`, all that can be there, that are; undefined where too many parts of them lack some. */
async function withoutGone(
  store: RangeStore,
  prefix: string,
  keys: readonly string[],
  revision: string,
): Promise<ReadonlySet<string> | undefined> {
  const size = Math.ceil(keys.length / PARTS);
  const parts = Array.from(
    { length: Math.ceil(keys.length / size) },
    (_, i) => keys.slice(i * size, (i + 1) * size),
  );
  const ranges = parts.map((_, i) => ({
    key: bytes(i === 0 ? prefix : parts[i]![0]!),
    range_end: i + 1 < parts.length ? bytes(parts[i + 1]![0]!) : after(prefix),
    revision,
  }));
  const counts = await store.counts(ranges.map((range) => ({ ...range, count_only: true })));
  const lacking = ranges.filter((_, i) => counts[i] !== parts[i]!.length);
  if (lacking.length > MOST_PARTS) return undefined;
  const kept = new Set(parts.flatMap((part, i) => counts[i] === part.length ? part : []));
  for (const range of lacking) {
    const { kvs } = await store.range({ ...range, keys_only: true });
    for (const { key } of kvs) kept.add(text(key));
  }
  return kept;
}

/** The first key behind all that begin with `prefix` (etcd's range_end for a prefix). */
export function after(prefix: string): Uint8Array {
  const end = bytes(prefix);
  end[end.length - 1]! += 1; // our prefixes are ASCII, never 0xff
  return end;
}

function entryOf({ key, value, lease }: Ranged["kvs"][number]): [string, Entry] {
  return [text(key), { value: text(value), lease }];
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function text(bytes: Buffer): string {
  return bytes.toString();
}
