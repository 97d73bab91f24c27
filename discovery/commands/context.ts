// What commands need from outside, built from flags and environment. Owns no command.
import type { Engine } from "../docker/engine.ts";
import type { Entry, Registry } from "../etcd/registry.ts";
import type { Rules } from "../registrator/instances_of.ts";
import type { Edge } from "./edge.ts";
import type { Terminal } from "./terminal.ts";
import { type View, viewOf } from "./view.ts";

/** The outside of a command. */
export interface Context {
  readonly registry: Registry;
  readonly engine: Engine;
  readonly edge: Edge;
  /** What the registrator of this host goes by; asks Docker, and throws when it does not answer. */
  readonly rules: () => Promise<Rules>;
  readonly terminal: Terminal;
  /** In ms since 1970. */
  readonly now: () => number;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Fires when the command is to end. */
  readonly signal: AbortSignal;
}

/** How a command ended. */
export const EXIT = {
  /** Done; or: yes. */
  ok: 0,
  /** No: not in rotation, something is broken, not done in time. */
  no: 1,
  /** Wrong arguments or settings; no such container to drain. */
  usage: 2,
  /** etcd or Docker does not answer. */
  unreachable: 3,
} as const;

/** The arguments make no sense; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Everything in etcd that a view is made of, at one moment: or a change would look like two. */
export async function readEntries(
  registry: Pick<Registry, "list">,
): Promise<ReadonlyMap<string, Entry>> {
  return await registry.list("/");
}

/** What stands in etcd now. Throws when etcd does not answer. */
export async function readView(registry: Pick<Registry, "list">): Promise<View> {
  return viewOf(await readEntries(registry));
}
