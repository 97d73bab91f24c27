// The names of the commands that people type, with what each does. Loads none of them.

/** By name, in one line; the first word of `rollcall <command>`. */
export const COMMANDS = {
  ls: "list services and instances, their state and its reason",
  watch: "a line for every change, with the time each step took",
  explain: "why a container is or is not in rotation, and what to do",
  drain: "take containers out of rotation by hand, until undrain",
  undrain: "let drained containers back into rotation",
  doctor: "look at every link from Docker to nginx; which is broken?",
  completion: "completion for bash, zsh or fish, as a script",
} as const;

export type CommandName = keyof typeof COMMANDS;

/** Whether it is one of them. */
export function isCommand(text: string | undefined): text is CommandName {
  return text !== undefined && Object.hasOwn(COMMANDS, text);
}
