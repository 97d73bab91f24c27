import assert from "node:assert/strict";
import type { EpisodeResult, RunResult } from "../running/result.ts";
import type { Lost } from "../running/span.ts";
import { STOOD_STILL } from "../running/stalls.ts";
import { kindFigures, partFigures, runFigures } from "./figures.ts";

const lost = (because: string | undefined): Lost => ({
  ...{ at: 0, ended: 1, method: "GET", kind: "reset", client: "new", because },
});
const episode = (
  seconds: number | undefined,
  kinds: readonly string[],
  because: readonly (string | undefined)[] = [],
) => ({
  ...{ episode: { number: 1, instances: 1, steps: [] }, from: 0, to: 60_000 },
  done: kinds.map((what) => ({ what, kind: "fault", from: 0, over: 1 } as const)),
  ...{ sent: { GET: 80, POST: 20 }, slow: 0, stood: 0, violations: [], seconds },
  lost: because.map(lost),
} satisfies EpisodeResult);
const result = (...episodes: readonly EpisodeResult[]): RunResult => ({
  ...{ version: 1, seed: 1, minutes: 1, rate: 100, machine: {}, startedAt: "", finishedAt: "" },
  ...{ episodes, counts: [], samples: [], violations: [], givenUp: 0 },
});
const RESULTS = [
  result(
    episode(3, ["etcd paused", "nginx paused"], ["nginx paused", STOOD_STILL]),
    episode(1, ["etcd paused"]),
    episode(undefined, ["etcd wiped"]),
  ),
];

Deno.test("kindFigures() counts each kind, alone and with others", () => {
  const [nginx, paused, wiped] = kindFigures(RESULTS);
  const { name, times, together, lost, longest, longestAlone } = paused!;
  assert.deepEqual([name, times, together, lost, longest, longestAlone], [
    ...["etcd paused", 2, 1, 0, 3, 1],
  ]);
  assert.deepEqual([nginx!.lost, nginx!.longestAlone, wiped!.longest], [1, undefined, Infinity]);
});

Deno.test("partFigures() adds up the kinds of a part", () => {
  assert.deepEqual(partFigures(RESULTS), [
    { lane: "nginx", faults: 1, lost: 1, longest: 3 },
    { lane: "etcd", faults: 3, lost: 0, longest: Infinity },
  ]);
});

Deno.test("runFigures() tells what no fault accounts for, and what was not judged", () => {
  const { unexplained, unjudged, faults, sent } = runFigures(
    result(episode(1, ["etcd paused"], [STOOD_STILL, undefined])),
  );
  assert.deepEqual({ unexplained, unjudged, faults, sent }, {
    ...{ unexplained: 1, unjudged: 1, faults: 1, sent: { GET: 80, POST: 20 } },
  });
});
