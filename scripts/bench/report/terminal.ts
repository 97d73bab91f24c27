// What the harness says while it runs, and its table at the end. Owns no figure.

import type { Reporter } from "../bench.ts";
import { median } from "../measure/statistics.ts";
import type { Measurement, Results, Throughput } from "../measure/measurement.ts";
import type { Verdict } from "./aims.ts";
import { failuresOf, figures, ratioOf } from "./figures.ts";
import { textTable } from "./text_table.ts";

/** Progress on standard error, a line each, so that standard output holds the results alone. */
export function terminalReporter(): Reporter {
  const begun = Date.now();
  const say = (text: string) => console.error(`${clock(Date.now() - begun)}  ${text}`);
  return {
    progress: (about, text) => say(`${about}: ${text}`),
    note: say,
    measured(measurement) {
      const line = figures.map(({ head, text }) => `${head} ${text(measurement)}`).join(", ");
      say(`${nameOf(measurement)}: ${line}`);
      for (const failure of failuresOf(measurement)) say(`  ${failure}`);
      for (const problem of measurement.problems) say(`  NOT VALID: ${problem}`);
    },
  };
}

/** The results as a table, and below it everything that restricts them. */
export function terminalTable(results: Results): string {
  const { measurements, throughput, skipped } = results;
  const rows = measurements.map((m) => [nameOf(m), ...figures.map(({ text }) => text(m))]);
  const notes = [
    ...measurements.flatMap((m) => m.problems.map((p) => `${nameOf(m)} is not valid: ${p}`)),
    ...throughput.flatMap((t) => t.problems.map((p) => `${nameOf(t)} is not valid: ${p}`)),
    ...skipped.map(({ subject, reason }) => `${subject} was skipped: ${reason}`),
  ];
  const parts: string[] = [];
  if (rows.length > 0) {
    parts.push(textTable(["", ...figures.map(({ head }) => head)], rows));
    parts.push("Times in ms, p50/p95/max. Failed/sent. A failed request is never sent again.");
  }
  if (throughput.length > 0) {
    const head = ["throughput", "requests/s", "static nginx", "ratio"];
    parts.push(textTable(head, throughput.map(throughputRow)));
  }
  return [...parts, ...notes].join("\n\n") + "\n";
}

/** Promises that were measured, and what became of them. */
export function aimsTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.filter(({ kept }) => kept !== undefined)
    .map(({ aim, wanted, measured, kept }) => [aim, wanted, measured, kept ? "kept" : "BROKEN"]);
  return textTable(["promise", "aim", "measured", ""], rows);
}

function throughputRow(throughput: Throughput): readonly string[] {
  const { rounds } = throughput;
  return [
    nameOf(throughput),
    median(rounds.map(({ subject }) => subject)).toFixed(0),
    median(rounds.map((round) => round.static)).toFixed(0),
    ratioOf(throughput).toFixed(2),
  ];
}

function nameOf(about: Measurement | Throughput): string {
  const { subject, scenario, client, run, defect } = about;
  return `${subject} ${scenario} ${client} #${run}${defect ? ` [${defect}]` : ""}`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
