// From how every container stands to the keys of this host, container by container. Pure; owns who gets a key that two instances claim.
import { nanoseconds } from "../docker/nanoseconds.ts";
import { encode } from "../registration.ts";
import { lostRoutes, type Winners } from "./claims.ts";
import { Contest } from "./contest.ts";
import { shown } from "./rejected_error.ts";
import type { Line } from "./tracked.ts";

/** Those that claim one key of /services. */
interface Claim {
  holder: Line;
  readonly others: Set<Line>;
}

/**
 * The keys of this host as they should stand in etcd: /services and /rollcall/status. Of two
 * instances that claim one key, the container that started first has it. A key that another host
 * holds stays claimed, so that we get it when it is free, and the status says so. Who claims a route
 * that another service has stays in rotation, with a note. What a change costs does not depend on
 * how many containers there are.
 */
export class Entries {
  private readonly values = new Map<string, string>();
  private readonly lines = new Map<string, readonly Line[]>();
  private readonly claims = new Map<string, Claim>();
  private readonly routes = new Contest<Line>();
  private taken: ReadonlySet<string> = new Set();
  private changed = new Set<string>();
  private lost = false;

  /** The keys and their values; it changes with `set`. */
  get all(): ReadonlyMap<string, string> {
    return this.values;
  }

  /** How a container stands now; no lines: it is gone. */
  set(containerId: string, lines: readonly Line[]): void {
    const before = this.lines.get(containerId) ?? [];
    if (before === lines) return;
    for (const line of before) this.remove(line);
    for (const line of lines) this.add(line);
    if (lines.length > 0) this.lines.set(containerId, lines);
    else this.lines.delete(containerId);
  }

  /** A key besides those of containers; undefined: it is not to be there. */
  put(key: string, value: string | undefined): void {
    this.write(key, value);
  }

  /** From now on these keys are held by other hosts. */
  hold(taken: ReadonlySet<string>): void {
    const before = this.taken;
    this.taken = taken;
    for (const key of [...before, ...taken]) {
      const claim = this.claims.get(key);
      if (claim && before.has(key) !== taken.has(key)) this.explain(claim.holder, claim);
    }
  }

  /** What other hosts' services have, of all routes. */
  elsewhere(routes: Winners): void {
    this.tell(this.routes.elsewhere(routes));
  }

  /** The keys that may have changed since it was asked last; undefined: any of them. */
  takeChanged(): ReadonlySet<string> | undefined {
    const { changed, lost } = this;
    this.changed = new Set();
    this.lost = false;
    return lost ? undefined : changed;
  }

  private add(line: Line): void {
    const key = line.registered?.key;
    const claim = key === undefined ? undefined : this.claims.get(key);
    if (key !== undefined && claim === undefined) {
      const first = { holder: line, others: new Set<Line>() };
      this.claims.set(key, first);
      this.write(key, line.registered!.value);
      this.tell(this.routes.add(line.registered!.claim, line));
      this.explain(line, first);
    } else if (claim && startedBefore(line, claim.holder)) {
      claim.others.add(claim.holder);
      this.release(claim.holder);
      this.give(key!, claim, line);
    } else {
      claim?.others.add(line);
      this.explain(line, claim);
    }
  }

  private remove(line: Line): void {
    this.write(line.statusKey, undefined);
    const key = line.registered?.key;
    const claim = key === undefined ? undefined : this.claims.get(key);
    if (claim === undefined || claim.others.delete(line)) return;
    this.release(line);
    let next: Line | undefined;
    for (const other of claim.others) if (!next || startedBefore(other, next)) next = other;
    if (next) {
      claim.others.delete(next);
      this.give(key!, claim, next);
    } else {
      this.claims.delete(key!);
      this.write(key!, undefined);
    }
  }

  private give(key: string, claim: Claim, holder: Line): void {
    claim.holder = holder;
    this.write(key, holder.registered!.value);
    this.tell(this.routes.add(holder.registered!.claim, holder));
    for (const line of [holder, ...claim.others]) this.explain(line, claim);
  }

  private release(line: Line): void {
    this.tell(this.routes.remove(line.registered!.claim, line));
  }

  private tell(lines: Iterable<Line>): void {
    for (const line of lines) this.explain(line, this.claims.get(line.registered!.key));
  }

  private explain(line: Line, claim: Claim | undefined): void {
    const { registered, statusKey, statusValue } = line;
    const other = claim && claim.holder !== line
      ? `The container ${shown(claim.holder.container.name)}`
      : registered && this.taken.has(registered.key)
      ? "An instance on another host"
      : undefined;
    const lost = registered && lostRoutes(registered.claim, this.routes.winners);
    const value = other ? collision(line, other) : lost ? noted(line, lost) : statusValue;
    this.write(statusKey, value);
  }

  private write(key: string, value: string | undefined): void {
    if (value === undefined) this.values.delete(key);
    else this.values.set(key, value);
    this.changed.add(key);
    // While nobody asks, containers come and go: what is remembered of them must not grow.
    if (this.changed.size <= 1_000 + 2 * this.values.size) return;
    this.changed = new Set();
    this.lost = true;
  }
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
