// What changed between two looks at etcd, and how long after Docker's event. Pure: looks and events in, changes out.
import { signalName } from "../docker/signals.ts";
import type { ContainerEvent } from "../docker/events.ts";
import type { State } from "../instance.ts";
import { changeId } from "../trace.ts";
import { getsTraffic, type Row, type View } from "./view.ts";

/** A moment on the way of a change. */
export interface Step {
  readonly name: string;
  /** ms after the first step. */
  readonly after: number;
}

/** One instance is in another state than at the last look. */
export interface Change {
  /** Its id in logs; undefined for a key that no registrator tells of. */
  readonly id: string | undefined;
  /** When it was seen, in ms since 1970. */
  readonly at: number;
  readonly row: Row;
  readonly from: State | undefined;
  readonly to: State | "gone";
  /** `in`: gets traffic from now on, `out`: no more. */
  readonly traffic: "in" | "out" | "same";
  /** Empty where they cannot be known: another host's clock. */
  readonly steps: readonly Step[];
  /** When the first step was, in ms since 1970. */
  readonly began: number | undefined;
  /** The configuration that it was live with first, once it is. */
  readonly generation?: string;
  /** What nginx is to have, or not to have any more; undefined where it is of no concern to nginx. */
  readonly address: string | undefined;
}

/** Remembers the last look and the last event of each container. Times in ms since 1970. */
export class Timeline {
  private before: ReadonlyMap<string, Row> | undefined;
  /** What set a container in motion, until it has arrived somewhere. */
  private readonly origins = new Map<string, { readonly name: string; readonly at: number }>();

  /** `host`: whose Docker the events come from. */
  constructor(private readonly host: string) {}

  /** An event. The first one counts: SIGTERM and not the SIGKILL after it. */
  heard(event: ContainerEvent): void {
    const name = nameOf(event);
    if (name === undefined) return;
    const { id, action } = event;
    const isEnd = action === "die" || action === "destroy";
    if (isEnd && this.origins.has(id)) return;
    this.origins.set(id, { name, at: Number(event.at / 1_000_000n) });
  }

  /** What is different from the last look; nothing at the first. */
  saw({ rows }: View, at: number): readonly Change[] {
    const before = this.before;
    const now = new Map(rows.map((row) => [row.id, row]));
    this.before = now;
    if (before === undefined) return [];
    const changes: Change[] = [];
    for (const [id, row] of now) {
      const old = before.get(id);
      const moved = old?.state !== row.state || old.key !== row.key ||
        (old.since !== row.since && row.state !== "starting");
      if (moved) changes.push(this.change(row, old, row.state, at));
    }
    for (const [id, row] of before) {
      if (!now.has(id)) changes.push(this.change(row, row, "gone", at));
    }
    for (const { row, to } of changes) if (to !== "starting") this.origins.delete(row.containerId);
    return changes;
  }

  private change(row: Row, old: Row | undefined, to: Change["to"], at: number): Change {
    const [was, is] = [old !== undefined && getsTraffic(old), to !== "gone" && getsTraffic(row)];
    const traffic = was === is ? "same" : is ? "in" : "out";
    const moments = this.moments(row, to, at);
    const began = moments[0]?.at;
    const steps = moments.map(({ name, at }) => ({
      name,
      after: Math.max(0, Math.round(at - began!)),
    }));
    const address = traffic === "same" || row.port.endsWith(":udp")
      ? undefined
      : (is ? row : old)?.address;
    const id = changeId(row.containerId, row.since);
    return { id, at, row, from: old?.state, to, traffic, steps, began, address };
  }

  private moments(
    { host, containerId, since }: Row,
    to: Change["to"],
    at: number,
  ): ReadonlyArray<{ readonly name: string; readonly at: number }> {
    if (host !== this.host) return [];
    const origin = this.origins.get(containerId);
    const decided = to === "gone" ? [] : [{ name: "decided", at: Date.parse(since) }];
    const moments = [...(origin ? [origin] : []), ...decided, { name: "in etcd", at }];
    // An event that was heard late, or a `since` that an older life left: no order, no figures.
    const late = moments.some((moment, i) => i > 0 && moment.at < moments[i - 1]!.at - 5);
    return late ? [] : moments;
  }
}

/** As people call it; undefined for what moves nobody in or out by itself. */
function nameOf(event: ContainerEvent): string | undefined {
  switch (event.action) {
    case "kill":
      return signalName(event.signal);
    case "health":
      return event.health;
    case "rename":
    case "networks":
      return undefined;
    default:
      return event.action;
  }
}
