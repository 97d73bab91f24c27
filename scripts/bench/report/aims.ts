// What Rollcall promises, as numbers, and whether measurements keep it. Pure; the numbers are this file's.

import { failed } from "../measure/account.ts";
import type { Measurement, Throughput } from "../measure/measurement.ts";
import { median, summarize, type Summary } from "../measure/statistics.ts";
import { ratioOf } from "./figures.ts";

/** One promise and what became of it. */
export interface Verdict {
  readonly aim: string;
  readonly wanted: string;
  readonly measured: string;
  /** Undefined: it was not measured. */
  readonly kept: boolean | undefined;
}

interface Aim {
  readonly aim: string;
  readonly scenario: string;
  readonly wanted: string;
  readonly measure: (measurement: Measurement) => number | undefined;
  readonly most: number;
  readonly unit: string;
}

const ms =
  (pick: keyof Summary, of: "startToFirst" | "readyToFirst" | "killToLast") =>
  (measurement: Measurement) => summarize(measurement[of])?.[pick];

const lost = (method: "GET" | "POST") => ({ account }: Measurement) => failed(account, { method });

/** What is counted over all client modes is added up, times are the worst of them. */
const aims: readonly Aim[] = [
  counted("drained instances leave and come", "scale", "failed GETs", lost("GET")),
  counted("drained instances leave and come", "scale", "failed POSTs", lost("POST")),
  counted("instances leave without telling", "late-exit", "failed GETs", lost("GET")),
  counted("instances leave without telling", "late-exit", "failed POSTs", lost("POST")),
  counted("instances exit at once", "abrupt", "failed GETs", lost("GET")),
  counted(
    "instances exit at once",
    "abrupt",
    "failed POSTs that no ending instance had in its hands",
    (m) => failed(m.account, { method: "POST" }) - m.underWayAtKill.POST - m.sentWhileEnding.POST,
  ),
  counted("instances exit at once after a hook", "announced", "failed GETs", lost("GET")),
  counted("instances exit at once after a hook", "announced", "failed POSTs", lost("POST")),
  counted("scaling", "scale", "answers over 500 ms", ({ account }) => account.slow),
  counted(
    "an application listens 2 s late",
    "slow-start",
    "failed requests",
    (m) => failed(m.account),
  ),
  counted("SIGKILL of one of three", "crash", "failed GETs", lost("GET")),
  timed("container start → first answer, p50", "instant", 75, ms("p50", "startToFirst")),
  timed("container start → first answer, p95", "instant", 130, ms("p95", "startToFirst")),
  timed("listening → first answer, slow start, max", "slow-start", 150, ms("max", "readyToFirst")),
  timed("kill event → last request, p50", "scale", 180, ms("p50", "killToLast")),
  timed("kill event → last request, p99", "scale", 250, ms("p99", "killToLast")),
  timed(
    "burst: container start → first answer, p50",
    "instant-burst",
    120,
    ms("p50", "startToFirst"),
  ),
  timed(
    "burst: container start → first answer, p95",
    "instant-burst",
    200,
    ms("p95", "startToFirst"),
  ),
  timed(
    "burst of the bundled service: listening → first answer, max",
    "burst",
    1000,
    ms("max", "readyToFirst"),
  ),
  {
    aim: "memory of all parts",
    scenario: "steady",
    wanted: "≤ 250 MiB",
    measure: ({ parts }) => parts?.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
    most: 250,
    unit: " MiB",
  },
];

function counted(
  what: string,
  scenario: string,
  unit: string,
  measure: (measurement: Measurement) => number,
): Aim {
  return { aim: `${what}: ${unit}`, scenario, wanted: "0", measure, most: 0, unit: "" };
}

function timed(
  aim: string,
  scenario: string,
  most: number,
  measure: (measurement: Measurement) => number | undefined,
): Aim {
  return { aim, scenario, wanted: `≤ ${most} ms`, measure, most, unit: " ms" };
}

/** Least share of static nginx's throughput. */
const leastRatio = 0.97;

/** Judges Rollcall's measurements; those of others are left out. */
export function verdicts(
  measurements: readonly Measurement[],
  throughput: readonly Throughput[],
): readonly Verdict[] {
  const own = measurements.filter(({ subject, defect }) => subject === "rollcall" && !defect);
  const rows = aims.map(({ aim, scenario, wanted, measure, most, unit }): Verdict => {
    const values = own.filter((m) => m.scenario === scenario).map(measure)
      .filter((value) => value !== undefined);
    if (values.length === 0) return { aim, wanted, measured: "not measured", kept: undefined };
    const value = unit === "" ? values.reduce((sum, n) => sum + n, 0) : Math.max(...values);
    return { aim, wanted, measured: `${value.toFixed(0)}${unit}`, kept: value <= most };
  });
  const ratios = throughput.filter(({ subject }) => subject === "rollcall").map(ratioOf);
  const ratio = median(ratios);
  rows.push({
    aim: "throughput beside static nginx",
    wanted: `≥ ${leastRatio}`,
    measured: ratios.length === 0 ? "not measured" : ratio.toFixed(2),
    kept: ratios.length === 0 ? undefined : ratio >= leastRatio,
  });
  return rows;
}
