// When the load itself stood still, as on a machine that is busy with something else. Pure.
import type { Recording } from "../../bench/load/recording.ts";
import type { Span } from "./span.ts";

/** A load that is later than this has stood still, in ms. */
const STALL = 1_000;

/** What accounts for requests of that time. */
export const STOOD_STILL = "the load stood still";

/**
 * The times in which requests were due and the load did not get to send them. Who connects and then says nothing for 15
 * s is closed by nginx, and so is an idle connection after 5 s: what fails then tells nothing of the stack.
 */
export function stallsOf(recording: Recording): readonly Span[] {
  const { startedAt, intended, begun } = recording;
  const spans: Span[] = [];
  let last: { from: number; over: number } | undefined;
  for (let i = 0; i < begun.length; i++) {
    if (begun[i]! - intended[i]! <= STALL) continue;
    const [from, over] = [startedAt + intended[i]!, startedAt + begun[i]!];
    if (last && from <= last.over) {
      last.over = over;
      continue;
    }
    last = { from, over };
    const may = { outage: { after: 0 }, because: "nobody answers a client that says nothing" };
    spans.push(Object.assign(last, { what: STOOD_STILL, may, ends: [] }));
  }
  return spans;
}

/** Says so when the load stood still for most of a run: that proves nothing. Times are ms since 1970, `stood` is in s. */
export function tooBusy(
  episodes: readonly { readonly stood: number; readonly from: number; readonly to: number }[],
): readonly string[] {
  const stood = episodes.reduce((sum, { stood }) => sum + stood, 0);
  const all = episodes.reduce((sum, { from, to }) => sum + (to - from) / 1000, 0);
  if (stood <= all / 2) return [];
  return [`the load stood still for ${stood.toFixed(0)} of ${all.toFixed(0)} s: nothing is proved`];
}
