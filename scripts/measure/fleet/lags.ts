// From when each change of the fleet happened to when etcd and the edge had it. Pure: times in ms since 1970.
import type { KeyEvent } from "../edge/etcd_watch.ts";
import type { WentLive } from "../edge/edge_log.ts";

/** Something that was done to a container; its key ends in `:<container>:<port>`. */
export interface Change {
  readonly container: string;
  readonly kind: "start" | "stop";
  readonly at: number;
}

/** Of each change, ms; NaN where it never came. */
export interface Lags {
  readonly toKey: readonly number[];
  readonly toLive: readonly number[];
}

/**
 * Of what happened and went live after `before` instances were live, and nothing else was under way. A key's event is its
 * change's by the container in the key. A change is live when a configuration has as many instances as etcd had after
 * it: so all of `changes` have to be starts, or all of them stops.
 */
export function lagsOf(
  changes: readonly Change[],
  keys: readonly KeyEvent[],
  live: readonly WentLive[],
  before: number,
): Lags {
  const stops = changes[0]?.kind === "stop";
  if (changes.some(({ kind }) => (kind === "stop") !== stops)) {
    throw new Error("Cannot tell when changes are live: some are starts and some are stops");
  }
  const events = keys.filter(({ deleted }) => deleted === stops);
  const place = new Map(events.map(({ key }, i) => [containerOf(key), i]));
  const toKey: number[] = [];
  const toLive: number[] = [];
  for (const { container, at } of changes) {
    const i = place.get(container);
    const event = i === undefined ? undefined : events[i];
    toKey.push(event ? event.at - at : NaN);
    const count = before + (stops ? -1 : 1) * ((i ?? NaN) + 1);
    // Not by the key's time, which is when we heard of it: the edge may have heard of it sooner.
    const went = live.find(({ instances }) => stops ? instances <= count : instances >= count);
    toLive.push(went ? went.at - at : NaN);
  }
  return { toKey, toLive };
}

/**
 * Of changes of both kinds that make more instances on the whole, likewise: when as many were live as etcd had for the
 * first time, ms after etcd told of that.
 */
export function lagsOfPeaks(
  keys: readonly KeyEvent[],
  live: readonly WentLive[],
  before: number,
): readonly number[] {
  let [count, most] = [before, before];
  const lags: number[] = [];
  for (const { deleted, at } of keys) {
    count += deleted ? -1 : 1;
    if (count <= most) continue;
    most = count;
    const went = live.find(({ instances }) => instances >= count);
    lags.push(went ? went.at - at : NaN);
  }
  return lags;
}

/** The container in a key `/services/<service>/<host>:<container>:<port>`. */
export function containerOf(key: string): string {
  return key.split(":").at(-2) ?? "";
}
