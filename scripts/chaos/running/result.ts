// What a run has come to, as plain data: it is kept as JSON, and the report is made of it. Owns no judgement.
import type { Happened } from "../looking/engine_view.ts";
import type { Sample } from "../looking/observer.ts";
import type { Episode } from "../schedule.ts";
import type { Lost } from "./span.ts";

/** A fault or a change as it came about. Times are ms since 1970. */
export interface Done {
  readonly what: string;
  /** A kind of fault, or a change of scale. */
  readonly kind: "fault" | "scale";
  readonly from: number;
  readonly over: number;
  /** It could not be brought or healed as meant, and why. */
  readonly note?: string;
}

export interface EpisodeResult {
  readonly episode: Episode;
  readonly from: number;
  readonly to: number;
  readonly done: readonly Done[];
  readonly sent: { readonly GET: number; readonly POST: number };
  readonly lost: readonly Lost[];
  /** Answers that took longer than 0.5 s. */
  readonly slow: number;
  /** So long the load itself stood still, in s: what failed then tells nothing. */
  readonly stood: number;
  /** From the last healing until all agreed, in s; undefined: they never did. */
  readonly seconds: number | undefined;
  readonly violations: readonly string[];
}

/** Instances that ran, were ready and were in nginx, at a moment. */
export interface Count {
  readonly at: number;
  readonly running: number;
  readonly live: number;
}

export interface RunResult {
  readonly version: 1;
  readonly seed: number;
  readonly minutes: number;
  readonly rate: number;
  readonly defect?: string;
  /** What it was run on: machine and versions. */
  readonly machine: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly episodes: readonly EpisodeResult[];
  readonly counts: readonly Count[];
  readonly samples: readonly Sample[];
  /** What only the whole run can show. */
  readonly violations: readonly string[];
  /** Stacks that were given up, as they did not come right again. */
  readonly givenUp: number;
}

/** Everything that was found. */
export function violationsOf({ episodes, violations }: RunResult): readonly string[] {
  return [
    ...episodes.flatMap(({ episode, violations }) =>
      violations.map((what) => `episode ${episode.number}: ${what}`)
    ),
    ...violations,
  ];
}

/** Events in words, for a timeline. */
export function eventInWords({ name, what, signal }: Happened): string {
  return `docker: ${name} ${what}${signal === undefined ? "" : ` ${signal}`}`;
}
