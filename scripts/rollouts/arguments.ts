// The words of `rollout`: flags, limits, help. Owns nothing that they do.
import { Command, InvalidArgumentError, Option } from "commander";

export interface Arguments {
  readonly service: string;
  /** The words from `compose` to the flags that name project and files. */
  readonly compose: readonly string[];
  readonly scale?: number;
  /** In ms. */
  readonly timeout: number;
  readonly force: boolean;
  readonly build: boolean;
  readonly pull: boolean;
  readonly dryRun: boolean;
  /** The compose project that Rollcall runs in. */
  readonly rollcall?: string;
}

interface Flags {
  readonly scale?: number;
  readonly timeout: number;
  readonly force?: boolean;
  readonly build?: boolean;
  readonly pull?: boolean;
  readonly dryRun?: boolean;
  readonly rollcall?: string;
  readonly file: readonly string[];
  readonly envFile: readonly string[];
  readonly profile: readonly string[];
  readonly projectName?: string;
  readonly projectDirectory?: string;
}

const EXAMPLES = `
Examples:
  docker compose build web && rollout web      a new image, started beside the old
  rollout web --build                          the same
  rollout web --dry-run                        only says what it would do
  rollout web --force                          every instance anew: a mounted file has changed
  rollout web --scale 5                        as many in the end, whatever there are now
  rollout -f compose.yaml -f production.yaml -p shop web

New instances start beside the old. When all are in nginx's live configuration, the old are drained,
and stopped only when no request can be under way to them. When a new one is not in rotation in
time, the new are removed, and the old serve on.

Ctrl-C before the new are in rotation undoes it; later it is finished. A second Ctrl-C ends it at
once; run it again to finish or undo what is half done.

Exit codes: 0 done, or nothing to do; 1 the new did not come up, all is as before; 2 wrong
arguments, or the service cannot be rolled out; 3 Docker or Rollcall does not answer; 130
interrupted, all is as before.`;

const whole = (least: number, most: number) => (text: string): number => {
  const number = Number(text);
  if (!/^\d{1,6}$/.test(text) || number < least || number > most) {
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  }
  return number;
};
const more = (text: string, before: readonly string[]): readonly string[] => [...before, text];

/** Reads the arguments. Throws a CommanderError on wrong ones, and after --help; what there is to say it has written. */
export function parseArguments(
  args: readonly string[],
  output: { readonly write: (text: string) => void; readonly warn: (text: string) => void },
): Arguments {
  const command = new Command("rollout")
    .description("A new image or configuration for a compose service, without a dropped request.")
    .argument("<service>", "the compose service")
    .option(
      "--scale <n>",
      "how many instances there are to be (default: as many as now)",
      whole(1, 1000),
    )
    .option("--timeout <seconds>", "for new instances to come into rotation", whole(1, 86_400), 60)
    .option("--force", "replace also what is up to date")
    .option("--build", "build the image first")
    .option("--pull", "pull the image first")
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--rollcall <project>", "Rollcall's compose project (default: who shares a network)")
    .addOption(
      new Option("-f, --file <file>", "as docker compose has it; several").argParser(more).default(
        [],
        "Compose's",
      ),
    )
    .option("-p, --project-name <name>", "as docker compose has it")
    .option("--project-directory <path>", "as docker compose has it")
    .addOption(
      new Option("--env-file <file>", "as docker compose has it; several").argParser(more).default(
        [],
        "Compose's",
      ),
    )
    .addOption(
      new Option("--profile <name>", "as docker compose has it; several").argParser(more).default(
        [],
        "none",
      ),
    )
    .helpOption("--help", "how to use it")
    .addHelpText("after", EXAMPLES)
    .configureOutput({ writeOut: output.write, writeErr: output.warn })
    .exitOverride();
  command.parse([...args], { from: "user" });
  const flags = command.opts<Flags>();
  const each = (flag: string, values: readonly string[]) => values.flatMap((one) => [flag, one]);
  return {
    service: command.args[0]!,
    compose: [
      "compose",
      ...each("-f", flags.file),
      ...each("-p", flags.projectName === undefined ? [] : [flags.projectName]),
      ...each(
        "--project-directory",
        flags.projectDirectory === undefined ? [] : [flags.projectDirectory],
      ),
      ...each("--env-file", flags.envFile),
      ...each("--profile", flags.profile),
    ],
    ...(flags.scale === undefined ? {} : { scale: flags.scale }),
    ...(flags.rollcall === undefined ? {} : { rollcall: flags.rollcall }),
    timeout: flags.timeout * 1000,
    force: flags.force ?? false,
    build: flags.build ?? false,
    pull: flags.pull ?? false,
    dryRun: flags.dryRun ?? false,
  };
}
