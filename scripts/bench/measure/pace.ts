// Whether the generator kept its plan. A load that was late measured its own machine, not the subject. Pure.

import type { Recording } from "../load/recording.ts";
import { summarize, type Summary } from "./statistics.ts";

/** How well a generator kept its rate. */
export interface Pace {
  /** Requests per second that were begun, from the first to the last. */
  readonly achievedRate: number;
  /** ms between the intended time and the moment the generator got to the request. */
  readonly lateness: Summary | undefined;
  /** Why the load is not to be trusted; undefined when it is. */
  readonly invalid: string | undefined;
}

/**
 * Lateness goes into every latency, so it has to be small beside what counts as slow (500 ms). It hides no
 * failure: while 30 containers start on two processors, one request of a hundred is 50 to 75 ms late.
 */
const tolerance = { p99: 100, max: 250 };

/** Judges the generator of a recording. */
export function paceOf(recording: Recording): Pace {
  const { begun, intended, rate } = recording;
  const lateness = summarize(begun.map((at, i) => at - intended[i]!));
  const seconds = begun.length > 1 ? (begun.at(-1)! - begun[0]!) / 1000 : 0;
  const achievedRate = seconds > 0 ? (begun.length - 1) / seconds : rate;
  return { achievedRate, lateness, invalid: complaint(lateness) };
}

function complaint(lateness: Summary | undefined): string | undefined {
  if (!lateness) return "nothing was sent";
  const { p99, max } = lateness;
  if (p99 <= tolerance.p99 && max <= tolerance.max) return undefined;
  return `the generator was late: p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms ` +
    `(${tolerance.p99} and ${tolerance.max} are tolerated)`;
}
