// The report as Markdown, made of results and nothing else: the same file gives the same text. Pure.

import type { Results } from "../measure/measurement.ts";
import { median } from "../measure/statistics.ts";
import { backends } from "../stack/backend.ts";
import { scenarios } from "../scenarios/scenarios.ts";
import { subjects } from "../subjects/subjects.ts";
import { verdicts } from "./aims.ts";
import { count, failuresOf, figures, none, ratioOf } from "./figures.ts";
import { byRun, pooled, type Runs } from "./pool.ts";
import { spreads } from "./spread.ts";

/** The whole page. `charts` are the names of the files that lie in `folder`, relative to the page. */
export function markdownOf(
  results: Results,
  charts: readonly string[],
  folder: string,
): string {
  const groups = byRun(results.measurements);
  const sound = groups.filter(([first]) => first.defect === undefined);
  return [
    intro(results),
    ...charts.map((name) => `![${altOf[name] ?? name}](${folder}/${name}.svg)`),
    "## Does Rollcall keep its promises?",
    aimsTable(results),
    "## What clients noticed",
    legend,
    ...scenarioSections(sound),
    ...throughputSection(results),
    ...costSection(sound),
    ...defectSection(groups),
    ...spreadSection(sound),
    ...restrictions(results),
    howItIsMeasured,
    machineSection(results),
  ].join("\n\n") + "\n";
}

const altOf: Readonly<Record<string, string>> = {
  failed: "Failed requests of 100,000 while scaling, by stack",
  turnover: "How soon traffic follows, by stack",
  throughput: "Throughput beside static nginx, by stack",
};

function intro({ startedAt, settings }: Results): string {
  return `# Benchmark

What clients notice while services behind a load balancer are scaled: on Rollcall, and on what people use
today. Everybody can repeat it with \`deno task bench\`; this page was made by it on ${
    startedAt.slice(0, 10)
  }, with ${settings["rate"]} requests per second, ${settings["cycles"]} times 3 → 1 → 3, ${
    settings["repeat"]
  } run(s), seed ${
    settings["seed"]
  }. How it is done and how to read it: [scripts/bench](../scripts/bench/README.md).`;
}

function aimsTable({ measurements, throughput }: Results): string {
  const rows = verdicts(measurements, throughput).map(({ aim, wanted, measured, kept }) => [
    aim,
    wanted,
    measured,
    kept === undefined ? none : kept ? "yes" : "**no**",
  ]);
  return table(["", "aim", "measured", "kept"], rows);
}

const legend =
  `Times in ms, p50/p95/max. Failed/sent. "kept" clients use 50 connections in turn, "new" ones a
connection for each request. "> 0.5 s" counts answers that took longer. "start → first" is from the start
of a container to the first answer that a client got of it, "ready → first" from the moment it listened;
"kill → last" is from Docker's kill event to the last request that was still sent to it.`;

function scenarioSections(groups: readonly Runs[]): readonly string[] {
  return scenarios.flatMap(({ name, title, backend }) => {
    const own = groups.filter(([first]) => first.scenario === name);
    if (own.length === 0) return [];
    const rows = own.map((runs) => {
      const measurement = pooled(runs);
      const { subject, client } = measurement;
      return [subject, client, ...figures.map(({ text }) => text(measurement))];
    });
    const head = ["", "client", ...figures.map(({ head }) => head)];
    return [
      `### ${title}`,
      `${backend === "light" ? "The instance" : "The bundled service"} ${backends[backend].title}.`,
      table(head, rows),
      ...failureList(own),
    ];
  });
}

function failureList(groups: readonly Runs[]): readonly string[] {
  const lines = groups.map(pooled).flatMap((measurement) => {
    const failures = failuresOf(measurement);
    const { subject, client } = measurement;
    return failures.length === 0 ? [] : [`- ${subject}, ${client}: ${failures.join("; ")}`];
  });
  return lines.length === 0 ? [] : [["How they failed:", "", ...lines].join("\n")];
}

function throughputSection({ throughput }: Results): readonly string[] {
  if (throughput.length === 0) return [];
  const rows = [...Map.groupBy(throughput, ({ subject }) => subject)].map(([subject, all]) => {
    const rounds = all.flatMap(({ rounds }) => rounds);
    const ratios = all.map(ratioOf);
    return [
      subject,
      count(Math.round(median(rounds.map((round) => round.subject)))),
      count(Math.round(median(rounds.map((round) => round.static)))),
      median(ratios).toFixed(2),
      ratios.map((ratio) => ratio.toFixed(2)).join(", "),
    ];
  });
  const { tool, connections } = throughput[0]!;
  return [
    "### Throughput",
    `Requests per second with ${connections} connections that are never idle (${tool}), in turn with static
nginx. Each instance ${backends.light.title}, so that the load balancer is what is measured.`,
    table(["", "requests/s", "static nginx", "ratio", "of each run"], rows),
  ];
}

function costSection(groups: readonly Runs[]): readonly string[] {
  const own = groups.filter(([first]) => first.scenario === "steady").map(pooled)
    .filter(({ parts }) => parts !== undefined);
  if (own.length === 0) return [];
  const rows = own.map(({ subject, parts = [], account, seconds, reloads }) => {
    const memory = parts.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
    const cpu = parts.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    const requests = (account.sent.GET + account.sent.POST) / 1000;
    return [
      subject,
      memory.toFixed(0),
      parts.map(({ service, memoryMiB }) => `${service} ${memoryMiB.toFixed(0)}`).join(", "),
      (cpu / requests * 1000).toFixed(0),
      reloads === undefined ? none : count(reloads),
      seconds.toFixed(0),
    ];
  });
  return [
    "### What it costs",
    "Everything but the instances, while nothing happens: memory in MiB, processor time in ms per 1,000 requests.",
    table(["", "memory", "of it", "processor", "reloads", "seconds"], rows),
  ];
}

function defectSection(groups: readonly Runs[]): readonly string[] {
  const own = groups.filter(([first]) => first.defect !== undefined).map(pooled);
  if (own.length === 0) return [];
  const rows = own.map((
    m,
  ) => [m.defect!, m.scenario, m.client, ...figures.map(({ text }) => text(m))]);
  return [
    "## Does the harness find anything?",
    "Defects that were planted into Rollcall, one at a time (`deno task bench --defect NAME`):",
    table(["defect", "scenario", "client", ...figures.map(({ head }) => head)], rows),
    ...failureList(groups.filter(([first]) => first.defect !== undefined)),
  ];
}

function spreadSection(groups: readonly Runs[]): readonly string[] {
  const rows = spreads(groups);
  if (rows.length === 0) return [];
  return [
    "## Repeatability",
    "Headline figures of each run, in the order in which they were made.",
    table(["", "figure", "runs", "smallest", "largest"], rows),
  ];
}

function restrictions({ measurements, throughput, skipped }: Results): readonly string[] {
  const lines = [
    ...[...measurements, ...throughput].flatMap(({ subject, scenario, client, run, problems }) =>
      problems.map((text) => `- ${subject}, ${scenario}, ${client}, run ${run}: not valid, ${text}`)
    ),
    ...skipped.map(({ subject, reason }) => `- ${subject} was skipped: ${reason}`),
  ];
  return lines.length === 0 ? [] : ["## Restrictions", lines.join("\n")];
}

const howItIsMeasured = `## How it is measured

- Open loop: requests are sent at times that are fixed beforehand, whatever the answers do, and latency counts
  from the intended time. So a stall shows in every request that was due in it.
- No request is sent twice. A kept connection that ends before the first byte of an answer is a failed request
  ("stale"), though many clients hide it by sending again.
- Every request is accounted for: sent = answered + failed. An answer counts when it is 2xx, whole, and has the
  right body; a POST has to give back what it brought.
- The client's clock ticks in 1 to 2 ms; lateness beyond that is reported, and a run whose generator was late
  (p99 over 100 ms, or one request over 250 ms) is marked as not valid.
- Requests go to a published port on 127.0.0.1, so through Docker's own proxy, as with most people.
- Each stack runs alone, with the same instances, on the same machine.`;

function machineSection({ machine, versions, settings, finishedAt }: Results): string {
  const rows = [
    ...Object.entries(machine),
    ...Object.entries(versions),
    ...Object.entries(settings).map(([name, value]) => [name, String(value)] as const),
    ["finished", finishedAt] as const,
  ];
  const known = subjects.map(({ name, title }) => `- **${name}**: ${title}`);
  return [
    "## Machine, versions and settings",
    table(["", ""], rows),
    "The stacks:",
    known.join("\n"),
  ].join("\n\n");
}

/** A Markdown table. A bar in a cell would end it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
