// The commands that people type, their flags and their help. Owns the words, not what the commands do.
import { Argument, Command } from "commander";
import { VERSION } from "../version.ts";
import { type CommandName, COMMANDS } from "./names.ts";
import { completionScript, type Shell, SHELLS } from "./completion.ts";

/** What the commands do. Each resolves to the exit code. */
export interface Actions {
  ls(services: readonly string[], options: { json?: boolean; watch?: boolean }): Promise<number>;
  watch(options: { json?: boolean }): Promise<number>;
  explain(container: string, options: { json?: boolean }): Promise<number>;
  drain(
    containers: readonly string[],
    options: { host?: string; reason?: string },
  ): Promise<number>;
  undrain(containers: readonly string[], options: { host?: string }): Promise<number>;
  doctor(options: { json?: boolean; nginx: string }): Promise<number>;
  write(text: string): void;
}

/** Where to look, when the environment does not say. */
export interface Places {
  readonly etcd?: string;
  readonly docker?: string;
  readonly edge?: string;
}

const EXIT_CODES = `
Exit codes: 0 done, or yes; 1 no: not in rotation, broken, not done in time;
2 wrong arguments or settings; 3 etcd or Docker does not answer.`;

/**
 * The program. `actions` gets the places that flags name. `done` is told the exit code of what ran.
 * Throws a CommanderError on wrong arguments, and after --help.
 */
export function program(
  actions: (places: Places) => Actions,
  done: (code: number) => void,
): Command {
  const root = new Command("rollcall")
    .description("Who gets traffic, and why. Works on what stands in etcd and on what Docker says.")
    .version(VERSION, "--version", "print the version")
    .helpCommand(false)
    .helpOption("--help", "how to use it")
    .exitOverride();
  const act = () => actions(root.opts<Places>());
  const add = (name: CommandName, examples: readonly string[]) =>
    root.command(name).summary(COMMANDS[name]).description(COMMANDS[name]).exitOverride()
      .option("--etcd <urls>", "etcd's endpoints (variable ROLLCALL_ETCD)")
      .option("--docker <url>", "the Engine API (variable ROLLCALL_DOCKER)")
      .option("--edge <url>", "nginx's status listener (default: http://nginx:8081)")
      .helpOption("--help", "how to use it")
      .hook("preAction", (_, command) => {
        const { etcd, docker, edge } = command.opts<Places>();
        if (etcd !== undefined) root.setOptionValue("etcd", etcd);
        if (docker !== undefined) root.setOptionValue("docker", docker);
        if (edge !== undefined) root.setOptionValue("edge", edge);
      })
      .addHelpText(
        "after",
        `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}\n${EXIT_CODES}`,
      );

  add("ls", [
    "rollcall ls                  everything",
    "rollcall ls shop             one service",
    "rollcall ls --watch          drawn anew whenever something changes",
    "rollcall ls --json | jq '.instances[] | select(.state != \"up\")'",
  ])
    .argument("[service...]", "only these services")
    .option("--json", "as JSON: instances, hosts, drains, malformed")
    .option("--watch", "until Ctrl-C; with --json a line for each change")
    .action(async (services, options) => done(await act().ls(services, options)));

  add("watch", [
    "rollcall watch               + in rotation, - out of it, ~ neither",
    "rollcall watch --json        one JSON object a line",
  ])
    .option("--json", "one JSON object a line")
    .action(async (options) => done(await act().watch(options)));

  add("explain", [
    "rollcall explain shop-web-2",
    "rollcall explain 3f9a1c      by the beginning of its id",
    "rollcall explain shop-web-2 >/dev/null && echo in rotation",
  ])
    .argument("<container>", "name or id")
    .option("--json", "as JSON")
    .action(async (container, options) => done(await act().explain(container, options)));

  add("drain", [
    "rollcall drain shop-web-2 --reason 'new disk'",
    "rollcall drain shop-web-1 shop-web-2",
  ])
    .argument("<container...>", "name, id, or id of the instance")
    .option("--host <host>", "which host's, where several have one of that name")
    .option("--reason <text>", "why, for whoever looks; 200 characters at most")
    .action(async (containers, options) => done(await act().drain(containers, options)));

  add("undrain", [
    "rollcall undrain shop-web-2",
  ])
    .argument("<container...>", "name, id, or id of the instance")
    .option("--host <host>", "which host's, where several have one of that name")
    .action(async (containers, options) => done(await act().undrain(containers, options)));

  add("doctor", [
    "rollcall doctor",
    "rollcall doctor --json | jq '.[] | select(.state == \"broken\")'",
  ])
    .option("--json", "as JSON")
    .option("--nginx <url>", "where nginx answers", "http://nginx:8080")
    .action(async (options) => done(await act().doctor(options)));

  add("completion", [
    "source <(rollcall completion bash)",
    "rollcall completion fish | source",
  ])
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .action((shell: Shell) => {
      act().write(completionScript(root, shell));
      done(0);
    });
  return root;
}
