// How the registrator stands at one moment, as metrics show it. Pure.
import type { State } from "../instance.ts";
import { STATUS } from "../keys.ts";

/** What can be told at any time, without having counted. */
export interface Standing {
  /** Whether Docker's events are followed. */
  readonly docker: boolean;
  /** Whether etcd answered when last asked and holds the lease. */
  readonly etcd: boolean;
  readonly vouching: boolean;
  readonly containers: number;
  /** How many instances are in which state; counted when it is called. */
  readonly states: () => ReadonlyMap<State, number>;
}

/** Every state, so that one that nobody is in is shown as 0. */
export const STATES = [
  "starting",
  "up",
  "unhealthy",
  "paused",
  "draining",
  "rejected",
] as const satisfies readonly State[];

/** How many statuses among our own keys say which state. They are not decoded: a thousand would cost milliseconds. */
export function statesIn(keys: ReadonlyMap<string, string>): ReadonlyMap<State, number> {
  const states = new Map<State, number>();
  for (const [key, value] of keys) {
    if (!key.startsWith(STATUS)) continue;
    const state = STATES.find((name) => value.startsWith(`{"state":"${name}"`));
    if (state) states.set(state, (states.get(state) ?? 0) + 1);
  }
  return states;
}
