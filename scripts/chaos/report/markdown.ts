// The report as Markdown. Reads no file and draws nothing.
import { markdownTable } from "../../measure/edge/table.ts";
import { growthOf } from "../running/memory.ts";
import { type RunResult, violationsOf } from "../running/result.ts";
import { kindFigures, partFigures, runFigures } from "./figures.ts";

/** The whole page. `picture`: where it lies, seen from the page. */
export function markdownOf(results: readonly RunResult[], picture: string): string {
  const machines = new Set(
    results.map(({ machine }) =>
      Object.entries(machine).map(([name, value]) => `${name}: ${value}`).join("; ")
    ),
  );
  const found = results.flatMap((result) => violationsOf(result).map((what) => ({ result, what })));
  return `# Chaos

Random faults and their combinations on the real stack, under constant load, while it is scaled; and
what clients notice. Drawn from a seed, healed, and after each episode Docker, etcd, the statuses
and nginx must agree again. What is brought and what must hold:
[scripts/chaos](../scripts/chaos/README.md).

${
    results.map(({ seed, minutes, rate }) =>
      `    deno task chaos --minutes ${minutes} --seed ${seed} --rate ${rate} --report`
    ).join("\n")
  }

${[...machines].join("\n\n")}.

## In all

${runs(results)}

${
    found.length === 0
      ? "Nothing was broken that is promised."
      : "Broken:\n\n" + found.map(({ result, what }) => `- seed ${result.seed}, ${what}`).join("\n")
  }

![What was struck when, how many instances ran, and which requests failed](${picture})

## By what was struck

${parts(results)}

## By fault

Failed requests are those that the fault accounts for; what each may cost, and why, is told by
\`deno task chaos --list\`. Right again: from the moment at which the last cause of an episode was
over until all agreed; the longest, with whatever other faults came along, and with this one alone.

${kinds(results)}

## Memory

Of the processes in a container, in MiB: the middle of the first third of the run, of the last, and
the most. Faults restart them all the time.

${memory(results)}
`;
}

const count = (n: number) => n.toLocaleString("en-US");

function runs(results: readonly RunResult[]): string {
  const rows = results.map((result) => {
    const { seconds, faults, changes, sent, lost, ...figures } = runFigures(result);
    const all = sent.GET + sent.POST;
    return [
      ...[String(result.seed), `${(seconds / 60).toFixed(1)} min`, count(result.episodes.length)],
      ...[count(faults), count(changes), count(all), `${count(lost)}`],
      ...[
        count(figures.unexplained),
        count(figures.unjudged),
        count(figures.slow),
        count(violationsOf(result).length),
      ],
    ];
  });
  return markdownTable([
    [
      ...["seed", "time", "episodes", "faults", "changes of scale", "requests", "failed"],
      ...["of these, beyond what faults allow", "while the load itself stood still"],
      ...["slower than 0.5 s", "violations"],
    ],
    ...rows,
  ]);
}

const inSeconds = (value: number | undefined) =>
  value === undefined ? "–" : Number.isFinite(value) ? `${value.toFixed(1)} s` : "**never**";

function parts(results: readonly RunResult[]): string {
  return markdownTable([
    ["what was struck", "faults", "failed requests", "right again after, longest"],
    ...partFigures(results).map(({ lane, faults, lost, longest }) => [
      ...[lane, count(faults), count(lost), inSeconds(longest)],
    ]),
  ]);
}

function kinds(results: readonly RunResult[]): string {
  return markdownTable([
    [
      ...["fault", "times", "with others", "failed requests", "right again after, longest"],
      ...["alone", "promised"],
    ],
    ...kindFigures(results).map((
      { name, times, together, lost, longest, longestAlone, within },
    ) => [
      ...[name, String(times), String(together), count(lost), inSeconds(longest)],
      ...[inSeconds(longestAlone), `${within} s`],
    ]),
  ]);
}

function memory(results: readonly RunResult[]): string {
  return markdownTable([
    ["seed", "container", "first third", "last third", "most"],
    ...results.flatMap(({ seed, samples }) =>
      growthOf(samples).map(({ name, first, last, most }) => [
        ...[String(seed), name, first.toFixed(0), last.toFixed(0), most.toFixed(0)],
      ])
    ),
  ]);
}
