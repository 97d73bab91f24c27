// A whole run: one episode after the other on one stack, and a fresh stack where one has to be given up.
import type { Sample } from "../looking/observer.ts";
import type { Part } from "../faults/kind.ts";
import { kindNamed } from "../faults/kinds.ts";
import type { Episode, Schedule } from "../schedule.ts";
import { machine, versions } from "../../bench/stack/machine.ts";
import { Arena } from "./arena.ts";
import { saveEvidence, saveTimeline } from "./evidence.ts";
import { memoryComplaints } from "./memory.ts";
import type { Count, EpisodeResult, RunResult } from "./result.ts";
import { EpisodeRun } from "./run_episode.ts";
import { tooBusy } from "./stalls.ts";

export interface RunOptions {
  readonly schedule: Schedule;
  readonly rate: number;
  readonly patience: number;
  /** A planted defect, and the compose files that plant it. */
  readonly defect?: { readonly name: string; readonly overlays: readonly string[] };
  /** No episode is begun after so many minutes. */
  readonly minutes: number;
  /** Ends at the first violation. */
  readonly untilFound: boolean;
  /** Where evidence is kept. */
  readonly folder: string;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** How a run tells what it is doing. */
export interface Reporter {
  note(text: string): void;
  episode(result: EpisodeResult, of: number): void;
}

export async function run(options: RunOptions): Promise<RunResult> {
  const { schedule, rate, patience, reporter, signal, folder } = options;
  const startedAt = new Date();
  const episodes: EpisodeResult[] = [];
  const counts: Count[] = [];
  const samples: Sample[] = [];
  const violations: string[] = [];
  let givenUp = 0;
  let arena: Arena | undefined;
  let abrupt = new Set<string>();
  let touched: ReadonlySet<Part> = new Set();
  const leave = async () => {
    if (!arena) return;
    counts.push(...arena.counts);
    samples.push(...arena.samples);
    const leaving = arena;
    arena = undefined;
    await leaving.close().catch((error) => reporter.note(`cannot remove it all: ${error.message}`));
  };
  let began = 0;
  try {
    for (const episode of schedule.episodes) {
      if (signal.aborted) break;
      if (!arena) {
        reporter.note("building and starting a stack");
        const overlays = options.defect?.overlays ?? [];
        const { instances } = episode;
        const { untilFound } = options;
        try {
          arena = await Arena.open({
            ...{ seed: schedule.seed, rate, patience, instances, overlays, untilFound },
          });
          await arena.renewLoad();
        } catch (error) {
          // What was found before is not to be lost.
          if (episodes.length === 0) throw error;
          violations.push(`there is no other stack to go on with: ${(error as Error).message}`);
          break;
        }
        abrupt = new Set();
        touched = new Set();
        began ||= Date.now();
      }
      // The last one may take half a minute.
      if (Date.now() - began > (options.minutes - 0.4) * 60_000 && episodes.length > 0) break;
      const result = await new EpisodeRun(arena, episode, touched, abrupt, signal).run()
        .catch((error) => failedEpisode(episode, error as Error));
      if (signal.aborted) break;
      touched = partsOf(episode);
      episodes.push(result);
      reporter.episode(result, schedule.episodes.length);
      await saveTimeline(folder, arena);
      if (result.violations.length > 0) {
        const where = await saveEvidence(folder, arena, result, schedule);
        reporter.note(`everything about it: ${where}`);
        if (options.untilFound) break;
      }
      if (result.seconds === undefined) {
        givenUp++;
        reporter.note("it does not come right again: a fresh stack");
        await leave();
      }
    }
  } finally {
    await leave();
  }
  return {
    ...{ version: 1, seed: schedule.seed, minutes: schedule.minutes, rate, episodes, counts },
    ...(options.defect && { defect: options.defect.name }),
    ...{ startedAt: startedAt.toISOString(), finishedAt: new Date().toISOString(), samples },
    machine: { ...await machine(), ...await versions() },
    ...{ givenUp, violations: [...violations, ...tooBusy(episodes), ...memoryComplaints(samples)] },
  };
}

/** An episode that could not be brought to its end: the machine or this program is at fault, and it is told. */
function failedEpisode(episode: Episode, error: Error): EpisodeResult {
  const now = Date.now();
  return {
    ...{
      episode,
      from: now,
      to: now,
      done: [],
      sent: { GET: 0, POST: 0 },
      lost: [],
      slow: 0,
      stood: 0,
    },
    ...{ seconds: undefined, violations: [`it could not be brought to its end: ${error.message}`] },
  };
}

function partsOf({ steps }: Episode): ReadonlySet<Part> {
  return new Set(steps.flatMap((step) => step.what === "fault" ? kindNamed(step.kind).parts : []));
}
