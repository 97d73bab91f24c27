// How far apart several runs of the same measurement lie. Pure.

import { failed } from "../measure/account.ts";
import type { Measurement } from "../measure/measurement.ts";
import { summarize } from "../measure/statistics.ts";
import type { Runs } from "./pool.ts";

const headline: readonly {
  readonly name: string;
  readonly of: (measurement: Measurement) => number | undefined;
}[] = [
  { name: "failed GET", of: ({ account }) => failed(account, { method: "GET" }) },
  { name: "failed POST", of: ({ account }) => failed(account, { method: "POST" }) },
  { name: "answers > 0.5 s", of: ({ account }) => account.slow },
  { name: "start → first, p50 (ms)", of: (m) => summarize(m.startToFirst)?.p50 },
  { name: "start → first, p95 (ms)", of: (m) => summarize(m.startToFirst)?.p95 },
  { name: "kill → last, p50 (ms)", of: (m) => summarize(m.killToLast)?.p50 },
  { name: "kill → last, p99 (ms)", of: (m) => summarize(m.killToLast)?.p99 },
  { name: "latency, p99 (ms)", of: ({ account }) => account.latency?.p99 },
];

/** One row per measurement and figure: name, figure, each run, smallest, largest. Empty for single runs. */
export function spreads(groups: readonly Runs[]): readonly (readonly string[])[] {
  return groups.filter((runs) => runs.length > 1).flatMap((runs) => {
    const [{ subject, scenario, client }] = runs;
    return headline.flatMap(({ name, of }) => {
      const values = runs.map(of).filter((value) => value !== undefined);
      // What is the same nothing in each run says nothing about the spread.
      if (values.length < 2 || values.every((value) => value === 0)) return [];
      const text = (value: number) => value.toFixed(value < 10 && !Number.isInteger(value) ? 1 : 0);
      return [[
        `${subject}, ${scenario}, ${client}`,
        name,
        values.map(text).join(", "),
        text(Math.min(...values)),
        text(Math.max(...values)),
      ]];
    });
  });
}
