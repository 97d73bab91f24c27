// Which charts the report has, and what they show of the results. Draws nothing itself.

import { failed } from "../measure/account.ts";
import type { Measurement, Results } from "../measure/measurement.ts";
import { summarize } from "../measure/statistics.ts";
import { barsSvg, rangesSvg } from "./chart.ts";
import { ratioOf } from "./figures.ts";
import { byRun, pooled } from "./pool.ts";

/** Charts by file name, without its ending. */
export function chartsOf(results: Results): ReadonlyMap<string, string> {
  const { measurements, throughput } = results;
  const all = byRun(measurements.filter(({ defect }) => !defect)).map(pooled);
  const charts = new Map<string, string>();
  const lost = failuresChart(all);
  if (lost) charts.set("failed", lost);
  const turnover = turnoverChart(all);
  if (turnover) charts.set("turnover", turnover);
  if (throughput.length > 0) {
    const ratios = Map.groupBy(throughput, ({ subject }) => subject);
    charts.set(
      "throughput",
      barsSvg({
        title: "Throughput beside static nginx",
        subtitle: "1.00 is nginx with three fixed upstreams, saturated in turn",
        labels: [...ratios.keys()],
        series: [{
          name: "ratio",
          values: [...ratios.values()].map((all) => mean(all.map(ratioOf))),
        }],
        text: (value) => value.toFixed(2),
      }),
    );
  }
  return charts;
}

const kinds = [
  { scenario: "scale", name: "drain for 3 s" },
  { scenario: "late-exit", name: "serve on for 3 s, tell nobody" },
  { scenario: "abrupt", name: "exit at once" },
  { scenario: "announced", name: "exit at once, after a hook" },
];

function failuresChart(all: readonly Measurement[]): string | undefined {
  const shown = kinds.filter(({ scenario }) => all.some((m) => m.scenario === scenario));
  const subjects = subjectsOf(all, shown.map(({ scenario }) => scenario));
  if (subjects.length === 0) return undefined;
  return barsSvg({
    title: "Failed requests of 100,000 while scaling 3 → 1 → 3",
    subtitle: "80 % GET, 20 % POST, no retries by the client; by what instances do at SIGTERM",
    labels: subjects,
    series: shown.map(({ scenario, name }) => ({
      name,
      values: subjects.map((subject) => lossOf(all, subject, scenario)),
    })),
    text: (value) => value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 }),
  });
}

/** Failed of 100,000, over all client modes; null where it was not measured. */
function lossOf(all: readonly Measurement[], subject: string, scenario: string): number | null {
  const own = all.filter((m) => m.subject === subject && m.scenario === scenario);
  const sent = own.reduce((sum, { account }) => sum + account.sent.GET + account.sent.POST, 0);
  const lost = own.reduce((sum, { account }) => sum + failed(account), 0);
  return sent === 0 ? null : lost / sent * 100_000;
}

function turnoverChart(all: readonly Measurement[]): string | undefined {
  const subjects = subjectsOf(all, ["scale", "instant"]);
  if (subjects.length === 0) return undefined;
  const rangesOf = (scenario: string, pick: "startToFirst" | "killToLast") =>
    subjects.map((subject) =>
      summarize(
        all.filter((m) => m.subject === subject && m.scenario === scenario).flatMap((m) => m[pick]),
      )
    );
  return rangesSvg({
    title: "How soon traffic follows",
    subtitle: "median / 95 % / largest, in ms, while scaling 3 → 1 → 3",
    labels: subjects,
    series: [
      {
        name: "start → first answer (listens at once)",
        ranges: rangesOf("instant", "startToFirst"),
      },
      {
        name: "stop signal → last request (drains for 3 s)",
        ranges: rangesOf("scale", "killToLast"),
      },
    ],
  });
}

function subjectsOf(all: readonly Measurement[], scenarios: readonly string[]): readonly string[] {
  const named = all.filter(({ scenario }) => scenarios.includes(scenario));
  return [...new Set(named.map(({ subject }) => subject))];
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
}
