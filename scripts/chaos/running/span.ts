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
  /** When it ended something that may have had requests in hand. */
  readonly ends: readonly Moment[];
}

/** A moment, as well as it is known. Times are ms since 1970. */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

/** Failed requests that are alike, at one place in time. */
export interface Lost extends Omit<Failure, "count"> {
  /** When it was to be sent. */
  readonly at: number;
  readonly ended: number;
  /** What accounts for it; undefined: nothing does. */
  readonly because: string | undefined;
}

/** How long before a fault's first moment a request may have been under way already, and be lost by it, in ms. */
const BEFORE = 250;
/** So far from the truth may be what is known of a moment, in ms: Docker tells late of an end, and nginx sees it late. */
const NEAR = 1_000;

/**
 * Each failed request, with the span that accounts for it. With `patience` what is bounded in time may last so many
 * times as long.
 */
export function lostIn(recording: Recording, spans: readonly Span[], patience: number): Lost[] {
  const hung = new Map(spans.map((span) => [span, span.may?.hung ?? 0]));
  const lost: Lost[] = [];
  for (let i = 0; i < recording.ending.length; i++) {
    const ending = endingOf(recording, i);
    if (ending === "answered") continue;
    const one = {
      at: recording.startedAt + recording.intended[i]!,
      ended: recording.startedAt + recording.ended[i]!,
      method: methodOf(recording, i),
      kind: ending === "status" ? `status ${recording.status[i]}` : ending,
      client: clientOf(recording, i),
    };
    // Where nobody listens, nothing else is needed to account for it.
    const span = spans.find((span) => inOutage(one, span, patience)) ??
      spans.find((span) => inHand(one, span, patience)) ??
      spans.find((span) => {
        const waited = one.ended - one.at > NEAR && overlaps(one, span, BEFORE, BEFORE);
        if (!waited || hung.get(span) === 0) return false;
        hung.set(span, hung.get(span)! - 1);
        return true;
      });
    lost.push({ ...one, because: span?.what });
  }
  return lost;
}

type Failed = Omit<Lost, "because">;

/** Whether a request was under way at some time from `before` ms before a moment to `after` ms after it. */
function overlaps(
  { at, ended }: Failed,
  { from, over }: { readonly from: number; readonly over: number },
  before: number,
  after: number,
): boolean {
  return ended >= from - before && at <= over + after;
}

function inOutage(one: Failed, span: Span, patience: number): boolean {
  const { outage } = span.may ?? {};
  return outage !== undefined && overlaps(one, span, BEFORE, outage.after * 1000 * patience);
}

function inHand(one: Failed, { may, ends }: Span, patience: number): boolean {
  // nginx sends a GET to another instance, unless a part of the answer has gone out.
  const taken = may?.inHand === "edge" ||
    may?.inHand === "instance" && (one.method === "POST" || one.kind === "cut");
  if (!taken) return false;
  const near = NEAR * patience;
  return ends.some(({ from, to }) => overlaps(one, { from, over: to }, near, near));
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
