// `deno task bench`: the only place of the harness that reads arguments, handles signals, prints and exits.

import { type Arguments, help, parseArguments, UsageError } from "./arguments.ts";
import { Bench, type BenchOptions } from "./bench.ts";
import { plant } from "./defects/defects.ts";
import { violations } from "./measure/invariants.ts";
import type { Results } from "./measure/measurement.ts";
import { verdicts } from "./report/aims.ts";
import { aimsTable, terminalReporter, terminalTable } from "./report/terminal.ts";
import { merged, resultsText, writeReport } from "./report/write_report.ts";

try {
  Deno.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(error instanceof UsageError ? 2 : 1);
}

async function main(): Promise<number> {
  const args = parseArguments(Deno.args);
  if (args.help) {
    console.log(help().trimEnd());
    return 0;
  }
  const results = args.from.length > 0 ? await read(args.from) : await measure(args);
  console.log(terminalTable(results));
  if (args.json) await Deno.writeTextFile(args.json, resultsText(results));
  if (args.report) {
    for (const file of await writeReport(results)) console.error(`written: ${file}`);
  }
  if (args.defect) return judgeDefect(args, results);
  if (args.aims) {
    const judged = verdicts(results.measurements, results.throughput);
    console.log(aimsTable(judged));
    return judged.some(({ kept }) => kept === false) ? 1 : 0;
  }
  return args.quick ? judgeQuick(results) : 0;
}

async function measure(args: Arguments): Promise<Results> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (!interrupted.signal.aborted) console.error("Interrupted: removing what was started");
      interrupted.abort(new Error("Cannot finish: it was interrupted"));
    });
  }
  const { defect, cycles, burst, ...rest } = args;
  const options: BenchOptions = { ...rest, extent: { cycles, burst } };
  if (!defect) return await new Bench(options, terminalReporter(), interrupted.signal).run();
  const folder = await Deno.makeTempDir({ prefix: "rollcall-bench-" });
  try {
    const overlay = await plant(defect, folder);
    const overlays = () => [overlay];
    const spoilt = { ...options, defect: { name: defect.name, overlays } };
    return await new Bench(spoilt, terminalReporter(), interrupted.signal).run();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function read(files: readonly string[]): Promise<Results> {
  const all = await Promise.all(
    files.map(async (file): Promise<Results> => JSON.parse(await Deno.readTextFile(file))),
  );
  return merged(all as [Results, ...Results[]]);
}

function judgeQuick({ measurements }: Results): number {
  const broken = violations(measurements);
  for (const line of broken) console.error(`BROKEN: ${line}`);
  if (broken.length === 0) console.error("Everything holds that has to.");
  return broken.length === 0 ? 0 : 1;
}

function judgeDefect({ defect }: Arguments, { measurements }: Results): number {
  const found = measurements.some((measurement) => defect!.shows(measurement));
  console.error(found ? `Found: ${defect!.title}.` : `NOT FOUND: ${defect!.title}.`);
  return found ? 0 : 1;
}
