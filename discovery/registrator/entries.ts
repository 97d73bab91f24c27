// From how every container stands to the keys of this host. Pure; owns who gets a key that two instances claim.
import { nanoseconds } from "../docker/nanoseconds.ts";
import { encode } from "../registration.ts";
import { shown } from "./rejected_error.ts";
import type { Line } from "./tracked.ts";

/**
 * The keys of this host as they should stand in etcd: /services and /rollcall/status. Of two
 * instances that claim one key, the container that started first has it. A key in `taken` belongs to
 * another host: it stays claimed, so that we get it when it is free, and the status says so.
 */
export function entriesOf(
  lines: readonly Line[],
  taken: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const holders = new Map<string, Line>();
  for (const line of lines) {
    const key = line.registered?.key;
    if (key === undefined) continue;
    const holder = holders.get(key);
    if (holder === undefined || startedBefore(line, holder)) holders.set(key, line);
  }
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
    entries.set(statusKey, other === undefined ? statusValue : collision(line, other));
  }
  return entries;
}

function collision({ status }: Line, other: string): string {
  const reason = `${other} has the same SERVICE_ID '${status.instance}'. Give each its own.`;
  return encode({ ...status, state: "rejected", reason });
}

function startedBefore({ container: a }: Line, { container: b }: Line): boolean {
  const [first, second] = [nanoseconds(a.startedAt), nanoseconds(b.startedAt)];
  return first !== second ? first < second : a.id < b.id;
}
