// The harness: which stacks are brought up in which order, and what is measured on each. Prints nothing itself.

import { type Extent, type Scenario, scenariosFor } from "./scenarios/scenarios.ts";
import { docker } from "../testing/docker.ts";
import { loadOptions } from "./load/options.ts";
import {
  type ClientMode,
  type Measurement,
  measurementOf,
  type Results,
  type Subjected,
  type Throughput,
} from "./measure/measurement.ts";
import { untilServing } from "./scenarios/ready.ts";
import { Stage } from "./scenarios/stage.ts";
import { compare } from "./scenarios/throughput.ts";
import type { Backend } from "./stack/backend.ts";
import { missingImages } from "./stack/images.ts";
import { machine, versions } from "./stack/machine.ts";
import { Stack } from "./stack/stack.ts";
import { type Subject, subjectNamed } from "./subjects/subjects.ts";

/** What a run of the harness does. */
export interface BenchOptions {
  readonly subjects: readonly Subject[];
  readonly scenarios: readonly Scenario[];
  /** What the rivals are measured in; Rollcall in all. */
  readonly rivalScenarios: readonly Scenario[];
  readonly throughput: boolean;
  readonly clients: readonly ClientMode[];
  readonly rate: number;
  readonly seed: number;
  readonly repeat: number;
  readonly extent: Extent;
  /** Rounds of throughput, and the length of each in s. */
  readonly rounds: number;
  readonly roundSeconds: number;
  /** A planted defect: its name, and the compose files that plant it for a subject. */
  readonly defect?: { readonly name: string; overlays(subject: Subject): readonly string[] };
}

/** How the harness tells what it is doing. */
export interface Reporter {
  /** A step has begun, or goes on. */
  progress(about: string, text: string): void;
  measured(measurement: Measurement): void;
  /** Something that everybody should know. */
  note(text: string): void;
}

/** Connections of the throughput measurement. */
const saturatingConnections = 64;

/** One run of the harness, with its own names for everything it makes. */
export class Bench {
  private readonly runId = crypto.randomUUID().slice(0, 6);
  private readonly stacks = new Set<Stack>();
  private readonly measurements: Measurement[] = [];
  private readonly throughput: Throughput[] = [];
  private readonly skipped: { subject: string; reason: string }[] = [];

  constructor(
    private readonly options: BenchOptions,
    private readonly reporter: Reporter,
    private readonly signal: AbortSignal,
  ) {}

  /** Does everything, and removes what it made, whatever happens. */
  async run(): Promise<Results> {
    const startedAt = new Date().toISOString();
    try {
      const subjects = await this.prepare();
      for (let run = 1; run <= this.options.repeat; run++) {
        for (const subject of subjects) await this.measureSubject(subject, run);
      }
      const { rate, seed, repeat, extent } = this.options;
      return {
        version: 1,
        startedAt,
        finishedAt: new Date().toISOString(),
        machine: await machine(),
        settings: { rate, seed, repeat, ...extent },
        versions: await versions(),
        measurements: this.measurements,
        throughput: this.throughput,
        skipped: this.skipped,
      };
    } finally {
      await this.cleanUp();
    }
  }

  private async prepare(): Promise<readonly Subject[]> {
    const usable: Subject[] = [];
    for (const subject of this.options.subjects) {
      const missing = await missingImages(subject);
      if (missing.length === 0) usable.push(subject);
      else {
        const reason = `cannot get ${missing.join(", ")}`;
        this.skipped.push({ subject: subject.name, reason });
        this.reporter.note(`skipped ${subject.name}: ${reason}`);
      }
    }
    if (usable.every(({ yours }) => yours !== undefined)) return usable;
    // The service is the same for all, and Rollcall's compose file knows how to build it.
    this.reporter.progress("prepare", "building images");
    const rollcall = subjectNamed("rollcall");
    const own = this.stack(rollcall, "graceful");
    await own.compose("build", ...(usable.includes(rollcall) ? rollcall.services! : ["service"]));
    for (const subject of usable) {
      this.signal.throwIfAborted();
      if (subject !== rollcall && !subject.yours) await this.stack(subject, "graceful").build();
    }
    return usable;
  }

  private async measureSubject(subject: Subject, run: number): Promise<void> {
    const { scenarios, rivalScenarios } = this.options;
    const own = scenariosFor(subject, subject.name === "rollcall" ? scenarios : rivalScenarios);
    for (const [backend, group] of Map.groupBy(own, ({ backend }) => backend)) {
      await this.withStack(subject, backend, group[0]!.instances, async (stack) => {
        for (const scenario of group) {
          const clients = scenario.byClient ? this.options.clients : ["both"] as const;
          for (const client of clients) {
            const about = this.about(subject, scenario.name, backend, client, run);
            await this.measure(stack, scenario, about);
          }
        }
      });
    }
    const comparable = subject.name !== "static" && !subject.yours;
    if (this.options.throughput && comparable) await this.compare(subject, run);
  }

  private async measure(stack: Stack, scenario: Scenario, about: Subjected): Promise<void> {
    const label = labelOf(about);
    this.reporter.progress(label, "getting ready");
    await stack.scale(scenario.instances);
    await untilServing(stack, scenario.instances, this.signal);
    const { rate, seed, extent } = this.options;
    const { subject, port } = stack;
    const maxSeconds = 120 + 60 * extent.cycles;
    const { client } = about;
    const options = loadOptions({ port, rate, seed, client, subject, maxSeconds });
    const stage = await Stage.open(stack, options, this.signal);
    try {
      await stage.pass(1_000);
      await scenario.act(stage, extent, (text) => {
        const { begun, failed } = stage.counts;
        this.reporter.progress(label, `${text}; ${begun} sent, ${failed} failed`);
      });
    } catch (error) {
      await stage.abandon();
      throw error;
    }
    const measurement = measurementOf(about, await stage.close());
    this.measurements.push(measurement);
    this.reporter.measured(measurement);
  }

  private async compare(subject: Subject, run: number): Promise<void> {
    const about = this.about(subject, "throughput", "light", "kept", run);
    const { rounds, roundSeconds: seconds } = this.options;
    const connections = saturatingConnections;
    await this.withStack(
      subjectNamed("static"),
      "light",
      3,
      (fixed) =>
        this.withStack(subject, "light", 3, async (stack) => {
          const progress = (text: string) => this.reporter.progress(labelOf(about), text);
          const rules = { rounds, seconds, connections };
          const compared = await compare(stack, fixed, rules, progress, this.signal);
          this.throughput.push({ ...about, connections, ...compared });
        }),
    );
  }

  private about(
    { name: subject }: Subject,
    scenario: string,
    backend: Backend,
    client: ClientMode,
    run: number,
  ): Subjected {
    const { defect } = this.options;
    return { subject, scenario, backend, client, run, ...(defect ? { defect: defect.name } : {}) };
  }

  private stack(subject: Subject, backend: Backend): Stack {
    const overlays = this.options.defect?.overlays(subject) ?? [];
    return new Stack({ subject, backend, runId: this.runId, overlays });
  }

  private async withStack(
    subject: Subject,
    backend: Backend,
    instances: number,
    use: (stack: Stack) => Promise<void>,
  ): Promise<void> {
    this.signal.throwIfAborted();
    const stack = this.stack(subject, backend);
    this.stacks.add(stack);
    this.reporter.progress(`${subject.name} ${backend}`, "starting");
    await stack.up(instances);
    await untilServing(stack, instances, this.signal);
    await use(stack);
    await stack.down();
    this.stacks.delete(stack);
  }

  private async cleanUp(): Promise<void> {
    for (const stack of this.stacks) {
      // Once more: an impatient second Ctrl-C hits Docker's client as well.
      await stack.down().catch(() => stack.down()).catch((error) => {
        const command = `docker compose -p ${stack.project} down --volumes`;
        this.reporter.note(`Cannot remove ${stack.project}: ${error.message}. Run ${command}`);
      });
    }
    const filter = ["--filter", `reference=rollcall-bench/*:${this.runId}`];
    const images = await docker("images", ...filter, "--format", "{{.Repository}}:{{.Tag}}");
    for (const image of images.split("\n").filter((line) => line !== "")) {
      await docker("image", "rm", "--no-prune", image).catch(() => {});
    }
  }
}

/** As it stands in progress lines. */
export function labelOf({ subject, scenario, client, run }: Subjected): string {
  return `${subject} ${scenario} (${client}, run ${run})`;
}
