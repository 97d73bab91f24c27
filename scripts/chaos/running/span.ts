// When a fault or a change was there, and which of the failed requests it accounts for. Pure.
import type { Failure } from "../../bench/measure/account.ts";
import { clientOf, endingOf, methodOf } from "../../bench/measure/account.ts";
import type { Recording } from "../../bench/load/recording.ts";
import type { Allowance } from "../faults/kind.ts";

/** One fault or change of an episode. Times are ms since 1970. */
export interface Span {
  readonly what: string;
  readonly from: number;
  /** When its cause was over: its healing had been done. Infinity while it is not. */
  readonly over: number;
  readonly may: Allowance | undefined;
}

/** Failed requests that are alike, at one place in time. */
export interface Lost extends Omit<Failure, "count"> {
  /** When it was to be sent. */
  readonly at: number;
  readonly ended: number;
  /** What accounts for it; undefined: nothing does. */
  readonly because: string | undefined;
}

/** How long before a fault's first moment a request may have been under way already, and be lost by it. */
const BEFORE = 250;

/**
 * Each failed request, with the span that accounts for it. `right` is when all was right again; with `patience` an
 * outage may last so many times as long after it is over.
 */
export function lostIn(
  recording: Recording,
  spans: readonly Span[],
  right: number,
  patience: number,
): Lost[] {
  const left = new Map(spans.map((span) => [span, {
    GET: span.may?.gets ?? 0,
    POST: span.may?.posts ?? 0,
  }]));
  const lost: Lost[] = [];
  for (let i = 0; i < recording.ending.length; i++) {
    const ending = endingOf(recording, i);
    if (ending === "answered") continue;
    const method = methodOf(recording, i);
    const kind = ending === "status" ? `status ${recording.status[i]}` : ending;
    const at = recording.startedAt + recording.intended[i]!;
    const ended = recording.startedAt + recording.ended[i]!;
    const span = spans.find(({ from, over, may }) =>
      may?.outage && ended >= from - BEFORE && at <= over + may.outage.after * 1000 * patience
    ) ?? spans.find((span) => {
      return ended >= span.from - BEFORE && at <= right && left.get(span)![method]-- > 0;
    });
    lost.push({ at, ended, method, kind, client: clientOf(recording, i), because: span?.what });
  }
  return lost;
}

/** The like ones counted, in words: "3 POST status 502 kept". */
export function inWords(lost: readonly Lost[]): string {
  const counts = new Map<string, number>();
  for (const { method, kind, client } of lost) {
    const key = `${method} ${kind} ${client}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => `${count} ${key}`).join(", ");
}
