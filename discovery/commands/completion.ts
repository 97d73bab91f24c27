// `rollcall completion`: a script for the shell, made from the commands themselves. Owns the scripts, no command.
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Words {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly flag: string; readonly summary: string }[];
  /** Whether it takes containers, or something else that is completed. */
  readonly takes: "containers" | "shells" | "nothing";
}

/** The script; it asks Docker for the names of containers, and rollcall for nothing. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map(wordsOf);
  return { bash, zsh, fish }[shell](commands);
}

function wordsOf(command: Command): Words {
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    options: command.options.flatMap(({ long, description }) =>
      long ? [{ flag: long, summary: description }] : []
    ).concat({ flag: "--help", summary: "how to use it" }),
    takes: argument?.name() === "container"
      ? "containers"
      : argument?.name() === "shell"
      ? "shells"
      : "nothing",
  };
}

const CONTAINERS = "docker ps --format '{{.Names}}' 2>/dev/null";

function bash(commands: readonly Words[]): string {
  const cases = commands.map(({ name, options, takes }) =>
    `    ${name}) words="${options.map(({ flag }) => flag).join(" ")}${
      takes === "containers"
        ? ` $(${CONTAINERS})`
        : takes === "shells"
        ? ` ${SHELLS.join(" ")}`
        : ""
    }" ;;`
  );
  return `# rollcall completion for bash: source <(rollcall completion bash)
_rollcall() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="${commands.map(({ name }) => name).join(" ")} --help --version" ;;
  esac
  ((COMP_CWORD == 1)) && words="${commands.map(({ name }) => name).join(" ")} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _rollcall rollcall
`;
}

function zsh(commands: readonly Words[]): string {
  const list = commands.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`);
  const cases = commands.map(({ name, options, takes }) => {
    const flags = options.map(({ flag, summary }) => `'${flag}[${quoted(summary)}]'`).join(" ");
    const rest = takes === "containers"
      ? ` "*:container:(\${(f)\\"$(${CONTAINERS})\\"})"`
      : takes === "shells"
      ? ` ':shell:(${SHELLS.join(" ")})'`
      : "";
    return `    ${name}) _arguments ${flags}${rest} ;;`;
  });
  return `#compdef rollcall
# rollcall completion for zsh: source <(rollcall completion zsh)
_rollcall() {
  local -a commands=(
${list.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join("\n")}
  esac
}
compdef _rollcall rollcall
`;
}

function fish(commands: readonly Words[]): string {
  const lines = commands.flatMap(({ name, summary, options, takes }) => {
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    const arguments_ = takes === "containers"
      ? [`complete -c rollcall ${seen} -a "(${CONTAINERS})"`]
      : takes === "shells"
      ? [`complete -c rollcall ${seen} -a '${SHELLS.join(" ")}'`]
      : [];
    return [
      `complete -c rollcall -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`,
      ...options.map(({ flag, summary }) =>
        `complete -c rollcall ${seen} -l ${flag.slice(2)} -d '${quoted(summary)}'`
      ),
      ...arguments_,
    ];
  });
  return `# rollcall completion for fish: rollcall completion fish | source
complete -c rollcall -f
${lines.join("\n")}
`;
}

/** Fit for single quotes and brackets. */
function quoted(text: string): string {
  return text.replaceAll(/['[\]:\\]/g, "");
}
