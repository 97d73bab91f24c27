// What the report tells of runs, as numbers: by kind of fault and in all. Pure.
import { KINDS } from "../faults/kinds.ts";
import { STOOD_STILL } from "../running/stalls.ts";
import { type Lane, laneOf, LANES } from "./lanes.ts";
import type { EpisodeResult, RunResult } from "../running/result.ts";

/** What came of one kind of fault. */
export interface KindFigures {
  readonly name: string;
  /** So often it was brought. */
  readonly times: number;
  /** Of these, together with others. */
  readonly together: number;
  /** Failed requests that it accounts for. */
  readonly lost: number;
  /** From the last healing of an episode until all agreed, in s: the longest with it, and the longest with it alone. */
  readonly longest: number;
  readonly longestAlone: number | undefined;
  /** What is promised, in s. */
  readonly within: number;
}

/** One row for each kind that was brought, in the order of the table of kinds. */
export function kindFigures(results: readonly RunResult[]): readonly KindFigures[] {
  const episodes = results.flatMap(({ episodes }) => episodes);
  return KINDS.flatMap(({ name, heals }) => {
    const own = episodes.filter((episode) => faultsIn(episode).includes(name));
    if (own.length === 0) return [];
    const alone = own.filter((episode) => faultsIn(episode).length === 1);
    const longest = (all: readonly EpisodeResult[]) =>
      Math.max(...all.map(({ seconds }) => seconds ?? Infinity));
    return [{
      name,
      times: own.length,
      together: own.length - alone.length,
      lost: own.reduce(
        (sum, { lost }) => sum + lost.filter(({ because }) => because === name).length,
        0,
      ),
      longest: longest(own),
      longestAlone: alone.length === 0 ? undefined : longest(alone),
      within: heals,
    }];
  });
}

/** What came of the faults of one part of the stack. */
export interface PartFigures {
  readonly lane: Lane;
  readonly faults: number;
  readonly lost: number;
  /** As of kinds, in s. */
  readonly longest: number;
}

/** One row for each part that was struck. */
export function partFigures(results: readonly RunResult[]): readonly PartFigures[] {
  const kinds = kindFigures(results);
  return LANES.flatMap((lane) => {
    const own = kinds.filter(({ name }) => laneOf(name) === lane);
    if (own.length === 0) return [];
    const sum = (of: (kind: KindFigures) => number) => own.reduce((sum, kind) => sum + of(kind), 0);
    return [{
      ...{ lane, faults: sum(({ times }) => times), lost: sum(({ lost }) => lost) },
      longest: Math.max(...own.map(({ longest }) => longest)),
    }];
  });
}

/** The figures of one run. */
export interface RunFigures {
  readonly seconds: number;
  readonly faults: number;
  readonly changes: number;
  readonly sent: { readonly GET: number; readonly POST: number };
  readonly lost: number;
  readonly unexplained: number;
  /** Failed while the load itself stood still. */
  readonly unjudged: number;
  readonly slow: number;
}

export function runFigures({ episodes }: RunResult): RunFigures {
  const sum = (of: (episode: EpisodeResult) => number) =>
    episodes.reduce((sum, episode) => sum + of(episode), 0);
  return {
    seconds: ((episodes.at(-1)?.to ?? 0) - (episodes[0]?.from ?? 0)) / 1000,
    faults: sum((episode) => faultsIn(episode).length),
    changes: sum(({ done }) => done.filter(({ kind }) => kind === "scale").length),
    sent: { GET: sum(({ sent }) => sent.GET), POST: sum(({ sent }) => sent.POST) },
    lost: sum(({ lost }) => lost.length),
    unexplained: sum(({ lost }) => lost.filter(({ because }) => because === undefined).length),
    unjudged: sum(({ lost }) => lost.filter(({ because }) => because === STOOD_STILL).length),
    slow: sum(({ slow }) => slow),
  };
}

function faultsIn({ done }: EpisodeResult): readonly string[] {
  return done.filter(({ kind }) => kind === "fault").map(({ what }) => what);
}
