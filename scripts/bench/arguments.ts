// The command line of `deno task bench`: what can be asked for, and the help. Runs nothing.

import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import type { BenchOptions } from "./bench.ts";
import { type Defect, defectNamed, defects } from "./defects/defects.ts";
import type { ClientMode } from "./measure/measurement.ts";
import { scenarioNamed, scenarios } from "./scenarios/scenarios.ts";
import { type Subject, subjectNamed, subjects } from "./subjects/subjects.ts";
import { yourSubject } from "./subjects/yours.ts";

/** What was asked for: what a run takes, how much of it, and what becomes of the results. */
export interface Arguments extends Omit<BenchOptions, "extent" | "defect"> {
  readonly help: boolean;
  readonly cycles: number;
  readonly burst: number;
  readonly quick: boolean;
  readonly defect: Defect | undefined;
  /** Where to write the results; undefined: nowhere. */
  readonly json: string | undefined;
  /** Make the report of results instead of measuring. */
  readonly from: readonly string[];
  readonly report: boolean;
  /** Say what Rollcall promises and whether it was kept; broken promises are an error. */
  readonly aims: boolean;
}

/** Thrown when the command line cannot be understood; its message says what to type instead. */
export class UsageError extends Error {
  override name = "UsageError";
}

const options = {
  "subjects": { type: "string", default: "rollcall,static,resolve" },
  "scenarios": { type: "string", default: "all" },
  "compose": { type: "string" },
  "service": { type: "string" },
  "url": { type: "string" },
  "post": { type: "string" },
  "client": { type: "string", default: "kept,new" },
  "rate": { type: "string", default: "1000" },
  "cycles": { type: "string", default: "10" },
  "burst": { type: "string", default: "30" },
  "repeat": { type: "string", default: "1" },
  "seed": { type: "string", default: "1" },
  "rounds": { type: "string", default: "10" },
  "round-seconds": { type: "string", default: "3" },
  "quick": { type: "boolean", default: false },
  "defect": { type: "string" },
  "json": { type: "string" },
  "from": { type: "string", multiple: true, default: [] as string[] },
  "report": { type: "boolean", default: false },
  "aims": { type: "boolean", default: false },
  "help": { type: "boolean", short: "h", default: false },
} satisfies ParseArgsOptionsConfig;

/** @throws {UsageError} with a message for people. */
export function parseArguments(args: readonly string[]): Arguments {
  const values = parse(args);
  const scenarioNames = list(values.scenarios === "all" ? allScenarios() : values.scenarios);
  const scenarios = scenarioNames.filter((name) => name !== "throughput").map(known(scenarioNamed));
  const quick = values.quick ? quickly : {};
  const defect = values.defect === undefined ? undefined : known(defectNamed)(values.defect);
  return {
    help: values.help,
    subjects: subjectsOf(values),
    scenarios,
    rivalScenarios: scenarios,
    throughput: scenarioNames.includes("throughput"),
    clients: list(values.client).map(clientMode),
    rate: whole("rate", values.rate, 1, 10_000),
    cycles: whole("cycles", values.cycles, 1, 100),
    burst: whole("burst", values.burst, 2, 100),
    repeat: whole("repeat", values.repeat, 1, 20),
    seed: whole("seed", values.seed, 0, 2 ** 31),
    rounds: whole("rounds", values.rounds, 1, 50),
    roundSeconds: whole("round-seconds", values["round-seconds"], 1, 60),
    quick: values.quick,
    defect,
    json: values.json,
    from: values.from,
    report: values.report,
    aims: values.aims,
    ...quick,
    ...(defect ? planted(defect) : {}),
  };
}

/** With a planted defect only that is measured in which it has to show. */
function planted({ scenario, client }: Defect) {
  return {
    subjects: [subjectNamed("rollcall")],
    scenarios: [scenarioNamed(scenario)],
    throughput: false,
    clients: [client],
  };
}

function subjectsOf(values: ReturnType<typeof parse>): readonly Subject[] {
  const { compose: composeFile, service, url, post: postPath } = values;
  if (composeFile === undefined) {
    const names = values.subjects === "all" ? allSubjects() : values.subjects;
    return list(names).map(known(subjectNamed));
  }
  if (service === undefined || url === undefined) {
    throw new UsageError(
      "Cannot measure your stack: give --service and --url along with --compose",
    );
  }
  return [known(() => yourSubject({ composeFile, service, url, postPath }))("")];
}

/** What `--quick` stands for: two minutes, for every change. Other options do not change it. */
const quickly = {
  subjects: ["rollcall", "resolve"].map(subjectNamed),
  scenarios: ["scale", "late-exit", "abrupt"].map(scenarioNamed),
  // Only to see that the harness does not take everybody for Rollcall.
  rivalScenarios: [scenarioNamed("scale")],
  throughput: false,
  clients: ["both"] as const,
  rate: 500,
  cycles: 2,
  repeat: 1,
};

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}. See deno task bench --help`);
  }
}

function list(text: string): readonly string[] {
  return text.split(",").map((word) => word.trim()).filter((word) => word !== "");
}

function allSubjects(): string {
  return subjects.map(({ name }) => name).join(",");
}

function allScenarios(): string {
  return [...scenarios.map(({ name }) => name), "throughput"].join(",");
}

function known<T>(find: (name: string) => T): (name: string) => T {
  return (name) => {
    try {
      return find(name);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  };
}

function clientMode(text: string): ClientMode {
  if (text === "kept" || text === "new" || text === "both") return text;
  throw new UsageError(
    `Cannot use --client ${text}: give kept, new or both, or several with commas`,
  );
}

function whole(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(
    `Cannot use --${name} ${text}: give a whole number from ${least} to ${most}`,
  );
}

/** The text of --help. */
export function help(): string {
  const rows = (entries: readonly { name: string; title: string }[]) =>
    entries.map(({ name, title }) => `  ${name.padEnd(26)}${title}`).join("\n");
  return `Measures what clients notice when services behind a load balancer are scaled.

Usage: deno task bench [options]

  --subjects LIST     which stacks, or "all" (rollcall,static,resolve)
  --scenarios LIST    what is done to them, or "all" (all)
  --compose FILE      your own stack instead; with --service NAME (what is scaled), --url URL (a GET that
                      every instance answers) and, if it takes JSON, --post PATH
  --client LIST       how clients connect: kept, new, both (kept,new)
  --rate N            requests per second (1000)
  --cycles N          times 3 → 1 → 3 (10)
  --burst N           instances of a burst (30)
  --repeat N          whole runs, for the spread (1)
  --seed N            fixes the sequence of requests (1)
  --rounds N          rounds of throughput (10), of --round-seconds N each (3)
  --quick             two minutes, Rollcall and resolve only; exits 1 when a promise is broken
  --defect NAME       plants a defect in Rollcall; exits 1 when the figures do not show it
  --json FILE         writes the results
  --report            writes docs/benchmark.md and its charts
  --aims              says which of Rollcall's promises were kept; exits 1 when one was not
  --from FILE         takes results from a file instead of measuring; may be given several times

Subjects:
${rows(subjects)}

Scenarios:
${rows(scenarios)}
  throughput                saturated, in turn with static nginx

Defects:
${rows(defects)}

It sends only to ports of its own on 127.0.0.1, and removes every container, network, volume and image
that it made.
`;
}
