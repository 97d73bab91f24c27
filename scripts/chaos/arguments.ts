// The words of `deno task chaos`: flags, limits, help. Owns nothing that they do.
import { Command, InvalidArgumentError } from "commander";
import { defects } from "./defects.ts";

export interface Arguments {
  readonly minutes: number;
  readonly seed: number;
  /** Requests per second. */
  readonly rate: number;
  readonly patience: number;
  /** Three short faults in each episode. */
  readonly dense: boolean;
  /** Kinds of faults whose name has one of these in it; empty: all. */
  readonly only: readonly string[];
  readonly replay?: string;
  readonly shrink: boolean;
  /** How long shrinking may take, in minutes. */
  readonly shrinkMinutes: number;
  readonly untilFound: boolean;
  readonly defect?: string;
  readonly list: boolean;
  readonly dryRun: boolean;
  readonly report: boolean;
  /** Results of runs to make the report of, instead of running. */
  readonly from: readonly string[];
  readonly out?: string;
}

const EXAMPLES = `
Examples:
  deno task chaos                                three minutes, a seed by chance
  deno task chaos --minutes 60 --seed 7 --report an hour; writes docs/chaos.md and its picture
  deno task chaos --only etcd,registrator        faults whose name has one of these in it
  deno task chaos --seed 7 --dry-run             what would be done, and when
  deno task chaos --shrink                       on a violation: the fewest steps that still show it
  deno task chaos --replay FOLDER/schedule.json  a schedule again, as kept for each violation
  deno task chaos --defect deaf-sweep --until-found  whether a planted mistake is found

The stack is one of its own, made of compose.yaml; its ports are free ones, and it is removed at the
end. Needs Docker on this machine, and nothing else of it but about 1 GB of memory.

Exit codes: 0 nothing broken (with --defect: found), 1 something broken (with --defect: not found),
2 wrong arguments.`;

const number = (least: number, most: number, whole = true) => (text: string): number => {
  const number = Number(text);
  if (text.trim() === "" || !(number >= least && number <= most)) {
    throw new InvalidArgumentError(`Give a number from ${least} to ${most}.`);
  }
  if (whole && !Number.isInteger(number)) throw new InvalidArgumentError("Give a whole number.");
  return number;
};
const more = (text: string, before: readonly string[]): readonly string[] => [
  ...before,
  ...text.split(",").map((word) => word.trim()).filter((word) => word !== ""),
];

/** Reads the arguments. Throws a CommanderError on wrong ones, and after --help; what there is to say it has written. */
export function parseArguments(args: readonly string[]): Arguments {
  const command = new Command("deno task chaos")
    .description("Random faults on a stack under load, and what must hold all the same.")
    .option("--minutes <n>", "no episode begins later", number(0.5, 24 * 60, false), 3)
    .option(
      "--seed <n>",
      "the same seed, the same schedule (default: by chance)",
      number(0, 2 ** 31),
    )
    .option("--rate <n>", "requests per second, a fifth of them POSTs", number(10, 2_000), 200)
    .option("--patience <n>", "bounds so many times as long: for a busy machine", number(1, 10), 1)
    .option("--dense", "three faults in each episode, and short ones: for little time")
    .option("--only <words>", "only these kinds of faults, by a part of their names", more, [])
    .option("--replay <file>", "a schedule from a file, instead of a seed's")
    .option("--until-found", "end at the first violation")
    .option("--shrink", "end at the first violation, and look for the fewest steps that show it")
    .option("--shrink-minutes <n>", "how long that may take", number(1, 24 * 60), 20)
    .option("--defect <name>", `plant a mistake: ${defects.map(({ name }) => name).join(", ")}`)
    .option("--list", "list the kinds of faults, with what each may cost")
    .option("--dry-run", "print the schedule, and do nothing")
    .option("--report", "write docs/chaos.md and its picture")
    .option("--from <files>", "make the report of these results, instead of a run", more, [])
    .option("--out <folder>", "where results and evidence go (default: below .cache/chaos)")
    .helpOption("--help", "how to use it")
    .addHelpText("after", EXAMPLES)
    .exitOverride();
  command.parse([...args], { from: "user" });
  const { list, dryRun, report, shrink, untilFound, dense, seed, ...flags } = command.opts();
  return {
    ...(flags as Pick<
      Arguments,
      | "minutes"
      | "rate"
      | "patience"
      | "only"
      | "shrinkMinutes"
      | "from"
      | "replay"
      | "out"
      | "defect"
    >),
    seed: seed ?? Math.floor(Math.random() * 2 ** 31),
    ...{ list: list ?? false, dryRun: dryRun ?? false, report: report ?? false },
    ...{ shrink: shrink ?? false, untilFound: untilFound ?? false, dense: dense ?? false },
  };
}
