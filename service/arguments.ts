// The command line: what was asked for, and the help. Does not run anything.

import { parseArgs } from "node:util";
import { names, settings } from "./settings.ts";

export type Command = "serve" | "healthcheck" | "help" | "version";

/** Thrown when the command line cannot be understood; its message says what to type instead. */
export class UsageError extends Error {
  override name = "UsageError";
}

const flags = {
  healthcheck: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

/** @throws {UsageError} on an unknown flag, a value or a word. */
export function parseArguments(args: readonly string[]): Command {
  const { tokens } = parseArgs({ args: [...args], options: flags, strict: false, tokens: true });
  let command: Command = "serve";
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    const text = token.kind === "option" ? token.rawName : token.value;
    if (token.kind === "positional" || !Object.hasOwn(flags, token.name)) {
      throw new UsageError(`Cannot understand ${JSON.stringify(text)}: see service --help`);
    }
    if (token.value !== undefined) {
      throw new UsageError(`Cannot give ${text} a value: it takes none`);
    }
    // --help wins over whatever stands beside it; else the last one counts.
    if (command !== "help") command = token.name as Command;
  }
  return command;
}

/** The text of --help. */
export function help(version: string): string {
  const rows = names.map((name) => {
    const { fallback, help } = settings[name];
    return `  ${name.padEnd(26)}${help}${fallback === undefined ? "" : ` (${fallback})`}`;
  });
  return `service ${version}: a web server that tells which instance answered

Usage: service [--healthcheck | --version | --help]

  (no flag)      serve until SIGTERM or SIGINT; a second signal hastens, a third one kills
  --healthcheck  exit 0 if the service running here is ready for traffic, else 1
  --version, -V  print the version
  --help, -h     print this

Environment (default in parentheses):
${rows.join("\n")}
`;
}
