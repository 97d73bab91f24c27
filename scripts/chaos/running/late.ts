// Requests that went to an instance after it should have been out of rotation. Pure.
import { FRESH, type Recording } from "../../bench/load/recording.ts";
import { instanceOf } from "../../bench/measure/lives.ts";

/** An instance that was told to stop. Times are ms since 1970. */
export interface Leaving {
  readonly id: string;
  readonly name: string;
  readonly at: number;
  /** When it ended: it may come back under the same name. */
  readonly until: number;
}

/** Requests to one that had been told to stop. */
export interface Late {
  readonly name: string;
  readonly count: number;
  /** When the last of them was begun, in ms after the stop signal. */
  readonly last: number;
}

/**
 * Those that were begun more than `bound` ms after the stop signal of the instance that answered them. Only connections
 * opened for one request count: on a kept one nginx's old workers answer once more.
 */
export function lateRequests(
  recording: Recording,
  leaving: readonly Leaving[],
  bound: number,
): readonly Late[] {
  const late: Late[] = [];
  for (const { id, name, at, until } of leaving) {
    const instance = recording.instances.indexOf(instanceOf(id));
    if (instance === -1) continue;
    let [count, last] = [0, 0];
    for (let i = 0; i < recording.instance.length; i++) {
      if (recording.instance[i] !== instance || !(recording.flags[i]! & FRESH)) continue;
      const after = recording.startedAt + recording.begun[i]! - at;
      if (after <= bound || at + after > until) continue;
      count++;
      last = Math.max(last, after);
    }
    if (count > 0) late.push({ name, count, last });
  }
  return late;
}
