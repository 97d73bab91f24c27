// From how every container stands to the keys of this host. Pure; owns who gets a key that two instances claim.
import { nanoseconds } from "../docker/nanoseconds.ts";
import { encode } from "../registration.ts";
import { lostRoutes, type Winners, winnersOf } from "./claims.ts";
import { shown } from "./rejected_error.ts";
import type { Line } from "./tracked.ts";

/**
 * The keys of this host as they should stand in etcd: /services and /rollcall/status. Of two
 * instances that claim one key, the container that started first has it. A key in `taken` belongs to
 * another host: it stays claimed, so that we get it when it is free, and the status says so.
 * `others` are the routes of other hosts' services: who shares one, and does not get it, has a note.
 */
export function entriesOf(
  lines: readonly Line[],
  taken: ReadonlySet<string>,
  others: Winners = new Map(),
): ReadonlyMap<string, string> {
  const holders = new Map<string, Line>();
  for (const line of lines) {
    const key = line.registered?.key;
    if (key === undefined) continue;
    const holder = holders.get(key);
    if (holder === undefined || startedBefore(line, holder)) holders.set(key, line);
  }
  const claims = [...holders.values()].flatMap(({ registered }) => registered?.claim ?? []);
  const winners = winnersOf(claims, others);
  const entries = new Map<string, string>();
  for (const line of lines) {
    const { registered, statusKey, statusValue } = line;
    const holder = registered && holders.get(registered.key)!;
    if (registered && holder === line) entries.set(registered.key, registered.value);
    const other = holder !== line && holder
      ? `The container ${shown(holder.container.name)}`
      : registered && taken.has(registered.key)
      ? "An instance on another host"
      : undefined;
    const lost = registered && lostRoutes(registered.claim, winners);
    entries.set(
      statusKey,
      other !== undefined
        ? collision(line, other)
        : lost !== undefined
        ? noted(line, lost)
        : statusValue,
    );
  }
  return entries;
}

function collision({ status }: Line, other: string): string {
  const reason = `${other} has the same SERVICE_ID '${status.instance}'. Give each its own.`;
  return encode({ ...status, state: "rejected", reason });
}

/** It stays in rotation for its other routes; only people are told. */
function noted({ status }: Line, lost: string): string {
  return encode({ ...status, note: status.note === undefined ? lost : `${status.note} ${lost}` });
}

function startedBefore({ container: a }: Line, { container: b }: Line): boolean {
  const [first, second] = [nanoseconds(a.startedAt), nanoseconds(b.startedAt)];
  return first !== second ? first < second : a.id < b.id;
}
