// Writes the report and its charts into docs/. Owns where they lie, not what stands in them.

import type { Results } from "../measure/measurement.ts";
import { run } from "../../testing/docker.ts";
import { rootFolder } from "../stack/folders.ts";
import { chartsOf } from "./charts.ts";
import { markdownOf } from "./markdown.ts";

/** Writes docs/benchmark.md, docs/benchmark/*.svg and the results themselves; returns what was written. */
export async function writeReport(results: Results): Promise<readonly string[]> {
  const folder = `${rootFolder}/docs/benchmark`;
  await Deno.mkdir(folder, { recursive: true });
  const charts = chartsOf(results);
  const files = new Map([...charts].map(([name, svg]) => [`${folder}/${name}.svg`, svg]));
  files.set(`${folder}/results.json`, resultsText(results));
  files.set(`${folder}.md`, markdownOf(results, [...charts.keys()], "benchmark"));
  for (const [file, text] of files) await Deno.writeTextFile(file, text);
  // As every file of the repository has to be.
  await run(Deno.execPath(), ["fmt", "--quiet", `${folder}.md`], { cwd: rootFolder });
  return [...files.keys()];
}

/** The JSON file's text. Times are rounded to 1 µs: more digits are noise, and this file is kept. */
export function resultsText(results: Results): string {
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Math.round(value * 1000) / 1000 : value;
  return JSON.stringify(results, rounded, 1) + "\n";
}

/** Several files of results as one: later runs follow earlier ones. The first one tells machine and settings. */
export function merged(all: readonly [Results, ...Results[]]): Results {
  const runs = new Map<string, number>();
  // Two files may both have a run 1 of the same measurement.
  const numbered = <
    T extends { subject: string; scenario: string; client: string; defect?: string },
  >(
    about: T,
  ): T => {
    const key = [about.subject, about.scenario, about.client, about.defect].join("\t");
    const run = (runs.get(key) ?? 0) + 1;
    runs.set(key, run);
    return { ...about, run };
  };
  const skipped = new Map(all.flatMap(({ skipped }) => skipped).map((one) => [one.subject, one]));
  const measured = new Set(all.flatMap(({ measurements }) => measurements.map((m) => m.subject)));
  const [first] = all;
  return {
    ...first,
    finishedAt: all.at(-1)!.finishedAt,
    measurements: all.flatMap(({ measurements }) => measurements).map(numbered),
    throughput: all.flatMap(({ throughput }) => throughput).map(numbered),
    skipped: [...skipped.values()].filter(({ subject }) => !measured.has(subject)),
  };
}
