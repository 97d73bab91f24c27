// The headline figures of measurements, as text: what goes into the terminal's table and into the report. Pure.

import { type Account, failed } from "../measure/account.ts";
import type { Measurement, Throughput } from "../measure/measurement.ts";
import { median, summarize, type Summary } from "../measure/statistics.ts";

/** A column: its head, and what it shows of a measurement. */
export interface Figure {
  readonly head: string;
  readonly text: (measurement: Measurement) => string;
}

/** What is shown where there is no such figure: not a zero. */
export const none = "–";

export const figures: readonly Figure[] = [
  { head: "failed GET", text: (m) => ofSent(m, "GET") },
  { head: "failed POST", text: (m) => ofSent(m, "POST") },
  { head: "> 0.5 s", text: (m) => count(m.account.slow) },
  { head: "start → first", text: (m) => times(m.startToFirst) },
  { head: "ready → first", text: (m) => times(m.readyToFirst) },
  { head: "kill → last", text: (m) => times(m.killToLast) },
  { head: "reloads", text: (m) => m.reloads === undefined ? none : count(m.reloads) },
  { head: "latency", text: (m) => times(m.account.latency, 1) },
];

function ofSent(measurement: Measurement, method: "GET" | "POST"): string {
  const { account } = measurement;
  return `${count(failed(account, { method }))}/${count(account.sent[method])}`;
}

/** p50/p95/max in ms. */
export function times(of: readonly number[] | Summary | undefined, digits = 0): string {
  const summary = of && "p50" in of ? of : summarize(of ?? []);
  if (!summary) return none;
  return [summary.p50, summary.p95, summary.max].map((ms) => ms.toFixed(digits)).join("/");
}

export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** How requests failed, as in `12 stale POST on kept connections`; empty when none did. */
export function failuresOf(measurement: Measurement): readonly string[] {
  const { account, underWayAtKill, sentWhileEnding } = measurement;
  const lines = account.failures.map(({ kind, method, client, count: n }) =>
    `${count(n)} ${kind} (${method}, ${client} connection)`
  );
  const caught = (when: string, { GET, POST }: Account["sent"]) => {
    if (GET + POST > 0) lines.push(`of these ${when}: ${GET} GET, ${POST} POST`);
  };
  caught("under way at the signal", underWayAtKill);
  caught("sent between signal and end", sentWhileEnding);
  return lines;
}

/** Throughput as a share of static nginx's: the middle of the rounds, each of which compares neighbours in time. */
export function ratioOf({ rounds }: Throughput): number {
  return median(rounds.map((round) => round.subject / round.static));
}
