// What the Engine API says, checked and turned into nouns. Owns no connection. Works from API 1.41 (Docker 20.10) on.
import { z } from "zod";
import type { Container, Health, Network, Port, Publication } from "../instance.ts";
import { signalNumber } from "./signals.ts";

const networks = z.record(
  z.string(),
  z.object({
    IPAddress: z.string().default(""),
    GlobalIPv6Address: z.string().default(""),
    EndpointID: z.string().default(""),
    Gateway: z.string().default(""),
    IPv6Gateway: z.string().default(""),
  }),
);

/** By container port, as in `80/tcp`; null where it is exposed and not published. */
const bindings = z.record(
  z.string(),
  z.array(z.object({ HostIp: z.string().default(""), HostPort: z.string() })).nullish(),
);

const listed = z.object({
  Id: z.string().min(1),
  Names: z.array(z.string()).nullish(),
  State: z.string(),
  Status: z.string().default(""),
  NetworkSettings: z.object({ Networks: networks.nullish() }).nullish(),
});

const inspected = z.object({
  Id: z.string().min(1),
  Name: z.string().regex(/^\/?[^\/]/, "no name"),
  State: z.object({
    Running: z.boolean(),
    Paused: z.boolean().default(false),
    Restarting: z.boolean().default(false),
    StartedAt: z.string().default(""),
    Health: z.object({
      Status: z.string(),
      FailingStreak: z.number().default(1),
      Log: z.array(z.object({ ExitCode: z.number() })).nullish(),
    }).nullish(),
  }),
  Config: z.object({
    Image: z.string().default(""),
    Env: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
    StopSignal: z.string().nullish(),
    StopTimeout: z.number().nullish(),
  }),
  HostConfig: z.object({ NetworkMode: z.string().default("default") }),
  NetworkSettings: z.object({ Networks: networks.nullish(), Ports: bindings.nullish() }).nullish(),
});

/** One row of `GET /containers/json`: enough to see whether a known container has changed. */
export interface Listed {
  readonly id: string;
  /** Without the leading slash; empty where Docker does not say. */
  readonly name: string;
  readonly running: boolean;
  readonly paused: boolean;
  /** `none` also where the list does not tell: it does not for a paused container. */
  readonly health: Health;
  readonly networks: readonly Network[];
}

/** The list of `GET /containers/json`; throws when the reply as a whole is not a list. */
export function parseList(reply: unknown): readonly Listed[] {
  return read("the list of containers", z.array(listed), reply).map((row) => ({
    id: row.Id,
    // Links of the old kind show as further names: /shop-web-1/db.
    name: row.Names?.find((name) => name.lastIndexOf("/") <= 0)?.replace(/^\//, "") ?? "",
    running: row.State === "running" || row.State === "paused",
    paused: row.State === "paused",
    health: healthInStatus(row.Status),
    networks: networksOf(row.NetworkSettings?.Networks),
  }));
}

/** The reply of `GET /containers/<id>/json`; throws when it is not one. */
export function parseContainer(reply: unknown): Container {
  const { Id, Name, State, Config, HostConfig, NetworkSettings } = read(
    "the container",
    inspected,
    reply,
  );
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
    image: Config.Image,
    // While Docker waits before it restarts a crashed container, both are true.
    running: State.Running && !State.Restarting,
    paused: State.Paused,
    health: healthIn(State.Health),
    startedAt: State.StartedAt,
    labels: Config.Labels ?? {},
    env: environment(Config.Env ?? []),
    exposed: Object.keys(Config.ExposedPorts ?? {}).flatMap(portOf),
    published: publications(NetworkSettings?.Ports ?? {}),
    networks: networksOf(NetworkSettings?.Networks),
    gateways: gatewaysOf(NetworkSettings?.Networks ?? {}),
    networkMode: HostConfig.NetworkMode,
    stopSignal: signalNumber(Config.StopSignal ?? "") ?? 15,
    stopGrace: (Config.StopTimeout ?? 10) * 1000,
  };
}

/** Docker says `none` or nothing where there is no HEALTHCHECK, and `""` while it restarts. */
export function healthOf(status: string | undefined): Health {
  return status === "starting" || status === "healthy" || status === "unhealthy" ? status : "none";
}

/**
 * Docker calls a container unhealthy from the moment it is paused until its next check, as nobody
 * checks it meanwhile. No check has failed then: what the last one said counts.
 */
function healthIn(health: z.infer<typeof inspected>["State"]["Health"]): Health {
  if (health?.Status !== "unhealthy" || health.FailingStreak > 0) return healthOf(health?.Status);
  const last = health.Log?.at(-1);
  if (last === undefined) return "starting";
  return last.ExitCode === 0 ? "healthy" : "unhealthy";
}

/** The list has health only in its text for people: `Up 3 seconds (health: starting)`. */
function healthInStatus(text: string): Health {
  return healthOf(/\((?:health: )?(starting|healthy|unhealthy)\)/.exec(text)?.[1]);
}

function read<T>(what: string, schema: z.ZodType<T>, reply: unknown): T {
  const { success, data, error } = schema.safeParse(reply);
  if (success) return data;
  throw new Error(`Cannot read ${what}: ${z.prettifyError(error)}`.slice(0, 500), { cause: error });
}

function networksOf(found: z.infer<typeof networks> | null | undefined): readonly Network[] {
  return Object.entries(found ?? {}).map(([name, network]) => ({
    name,
    address: network.IPAddress || network.GlobalIPv6Address,
    endpoint: network.EndpointID,
  })).sort((a, b) => a.name < b.name ? -1 : 1);
}

function gatewaysOf(found: z.infer<typeof networks>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(found).map(([name, { Gateway, IPv6Gateway }]) => [name, Gateway || IPv6Gateway]),
  );
}

function publications(found: z.infer<typeof bindings>): readonly Publication[] {
  return Object.entries(found).flatMap(([text, on]) =>
    portOf(text).flatMap((port) =>
      (on ?? []).filter(({ HostPort }) => isPort(HostPort)).map(({ HostIp, HostPort }) => (
        { port, address: HostIp || "0.0.0.0", hostPort: Number(HostPort) }
      ))
    )
  );
}

function environment(lines: readonly string[]): Record<string, string> {
  // No prototype: a variable may be called __proto__.
  const env: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const at = line.indexOf("=");
    if (at > 0) env[line.slice(0, at)] = line.slice(at + 1);
  }
  return env;
}

function portOf(text: string): Port[] {
  const match = /^(\d+)\/(tcp|udp)$/.exec(text); // others, as sctp, no edge of ours can serve
  return match && isPort(match[1]!)
    ? [{ number: Number(match[1]), protocol: match[2] as "tcp" | "udp" }]
    : [];
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
}
