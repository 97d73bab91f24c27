// One look at the whole stack, and what can be read from it. Takes no look itself.
import type { Entry } from "../faults/etcd_gateway.ts";
import type { Seen } from "./engine_view.ts";

/** What a look has seen. What did not answer is undefined. */
export interface Look {
  /** In ms since 1970. */
  readonly at: number;
  /** Containers that answer as the service, those that do not run included. */
  readonly instances: readonly Seen[];
  /** The stack's other containers. */
  readonly others: readonly Seen[];
  /** Ids of instances that pass when they are asked directly. */
  readonly passing: ReadonlySet<string>;
  /** Ids of those that were told to stop, and have not started again. */
  readonly leaving: ReadonlySet<string>;
  /** What nginx serves with. */
  readonly edge: Edge | undefined;
  /** Everything that stands in etcd below /services and /rollcall. */
  readonly keys: readonly Entry[] | undefined;
}

/** nginx's live configuration, as far as it matters here. */
export interface Edge {
  /** The generation that nginx says it serves, and that of the file. */
  readonly generation: string;
  readonly written: string;
  /** `address:port` of the service's instances. */
  readonly servers: ReadonlySet<string>;
}

/** The port of the bundled service. */
export const PORT = 8080;

/** Reads nginx's configuration. */
export function edgeOf(configuration: string, generation: string): Edge {
  const [, written = ""] = /^# generation (\S+)/.exec(configuration) ?? [];
  const upstream = /^\s*upstream service \{([^}]*)\}/m.exec(configuration)?.[1] ?? "";
  const servers = upstream.matchAll(/^\s*server (\S+?)[ ;]/gm).map(([, server]) => server!);
  return { generation: generation.trim(), written, servers: new Set(servers) };
}

/** Where nginx would reach it, or undefined where it is on no network that they share. */
export function serverOf({ addresses }: Seen, network: string): string | undefined {
  const address = addresses.get(network);
  return address === undefined ? undefined : `${address}:${PORT}`;
}

/** Whether an instance runs, as Docker sees it, and was not told to stop. */
export function runs({ state, id }: Seen, { leaving }: Look): boolean {
  return state === "running" && !leaving.has(id);
}

/** Whether it is ready as well: that is asked from itself, and from its HEALTHCHECK. */
export function isReady(one: Seen, look: Look): boolean {
  return runs(one, look) && look.passing.has(one.id) && one.health !== "unhealthy";
}
