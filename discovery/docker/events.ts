// Docker's event stream, line by line, turned into events of ours. Owns no connection and no decision.
import { z } from "zod";
import type { Health } from "../instance.ts";
import { healthOf } from "./replies.ts";
import { signalNumber } from "./signals.ts";

/** Something that happened to a container. `at` is Docker's time in ns since 1970. */
export type ContainerEvent =
  & { readonly id: string; readonly name: string; readonly at: bigint }
  & (
    | { readonly action: "start" | "die" | "destroy" | "pause" | "unpause" | "rename" | "networks" }
    | { readonly action: "kill"; readonly signal: number }
    | { readonly action: "health"; readonly health: Health }
    /** The command that its label SERVICE_DRAIN names has begun in it: it is about to be stopped. */
    | { readonly action: "drain"; readonly command: string }
  );

const line = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({
    ID: z.string(),
    Attributes: z.record(z.string(), z.string()).nullish(),
  }),
  timeNano: z.bigint(),
});

/** What to ask for: everything else on a busy host is none of our business. */
export const EVENT_FILTERS = {
  type: ["container", "network"],
  event: [
    "start",
    "kill",
    "die",
    "destroy",
    "pause",
    "unpause",
    "rename",
    "health_status",
    "exec_start",
    "connect",
    "disconnect",
  ],
} as const;

/** Docker writes the command behind the action's name; its filter takes the name alone. */
const EXEC = "exec_start:";
const DRAIN_LABEL = "SERVICE_DRAIN";

/**
 * One line of `GET /events`; undefined for events that do not concern us. Docker copies a container's
 * labels over the event's own attributes, so a label `signal` hides the signal of a kill: whoever
 * knows the container's labels must not believe it then.
 * Throws when the line is not an event: the stream is out of step then and must be opened anew.
 */
export function parseEvent(text: string): ContainerEvent | undefined {
  const { Type, Action, Actor, timeNano: at } = read(text);
  const attributes = Actor.Attributes ?? {};
  const container = { id: Actor.ID, name: attributes["name"] ?? "", at };
  if (Type === "network") {
    const id = attributes["container"];
    return id ? { id, name: "", at, action: "networks" } : undefined;
  }
  if (Action.startsWith("health_status")) {
    return { ...container, action: "health", health: healthOf(Action.split(":")[1]?.trim()) };
  }
  if (Action.startsWith(EXEC)) {
    // Health checks and people run commands as well. Labels come with each event, so nobody has to be asked.
    const command = words(Action.slice(EXEC.length));
    const means = command !== "" && command === words(attributes[DRAIN_LABEL] ?? "");
    return means ? { ...container, action: "drain", command } : undefined;
  }
  switch (Action) {
    case "kill":
      return {
        ...container,
        action: "kill",
        signal: signalNumber(attributes["signal"] ?? "") ?? 15,
      };
    case "start":
    case "die":
    case "destroy":
    case "pause":
    case "unpause":
    case "rename":
      return { ...container, action: Action };
    default:
      return undefined;
  }
}

/** The words of a command with one space between them: Docker joins them so, and adds spaces of its own. */
function words(command: string): string {
  return command.trim().split(/\s+/).join(" ");
}

function read(text: string): z.infer<typeof line> {
  try {
    return line.parse(JSON.parse(text, exactNano));
  } catch (cause) {
    throw new Error(`Cannot read an event: '${text.slice(0, 100)}' is not one`, { cause });
  }
}

/** timeNano exceeds 2^53: read from its source text, not from the rounded number. */
function exactNano(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return key === "timeNano" && typeof value === "number" && /^\d+$/.test(context?.source ?? "")
    ? BigInt(context!.source!)
    : value;
}
