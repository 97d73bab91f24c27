// Figures as a Markdown table for docs/measurements.md. Measures nothing.
import { summarize } from "../../bench/measure/statistics.ts";

/** A table whose first row is the head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((row) => `| ${row.join(" | ")} |`.replaceAll("\n", " "));
  const rule = `| ${rows[0]!.map(() => "---").join(" | ")} |`;
  return [head, rule, ...body].join("\n");
}

/** p50, p95, p99 and max of a list in ms, and how many there are: five cells of a row. */
export function percentiles(values: readonly number[]): readonly string[] {
  const summary = summarize(values);
  if (!summary) return ["–", "–", "–", "–", "0"];
  const { p50, p95, p99, max, count } = summary;
  return [...[p50, p95, p99, max].map((value) => value.toFixed(0)), String(count)];
}

/** The head of such a table. */
export const PERCENTILES = ["p50", "p95", "p99", "max", "of"] as const;
