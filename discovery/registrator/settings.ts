// The registrator's settings: names, defaults, limits, and what they mean. Owns no source they are read from.
import { z } from "zod";
import { LEVELS } from "../log.ts";
import { unicast } from "./address.ts";
import { tagsIn } from "./tags_in.ts";

/** How one setting is read and explained. */
export interface Setting {
  /** From text; its messages say what is wrong and what to do. */
  readonly schema: z.ZodType<unknown, string>;
  /** As text; empty: none, and the help says what happens then. */
  readonly fallback: string;
  /** What stands for the value in the help; undefined: it is a switch. */
  readonly value?: string;
  /** Its flag, where that is not its name with dashes. */
  readonly flag?: string;
  /** May stand alone, which is `true`: the next argument is its value only when it is one of these. */
  readonly words?: readonly string[];
  readonly help: string;
}

const list = z.string().transform((text) =>
  text.split(",").map((item) => item.trim()).filter((item) => item !== "")
);
const yesNo = z.enum(["true", "false", "1", "0", ""]).transform((text) =>
  text === "true" || text === "1"
);
const number = (unit: string, least: number, most: number) =>
  z.string().regex(/^-?\d+$/, `a whole number${unit}`).transform(Number).pipe(
    z.number().min(least).max(most),
  );
const seconds = (least: number, most: number) => number(" of seconds", least, most);
/** registrator's 0 means never, which is not to be had. */
const not = (wrong: string, why: string) => z.string().refine((text) => text !== wrong, why);

/** Each setting: its variable is ROLLCALL_<NAME>, its flag --<name>, or -<name> as registrator has it. */
export const SETTINGS = {
  etcd: {
    schema: list.pipe(z.array(z.url({ protocol: /^https?$/ })).min(1)),
    fallback: "http://etcd:2379",
    value: "URLS",
    help: "etcd's endpoints, separated by commas.",
  },
  etcd_ca: {
    schema: z.string(),
    fallback: "",
    value: "FILE",
    help: "With https:// endpoints: the CA certificate by which to know etcd.",
  },
  etcd_cert: {
    schema: z.string(),
    fallback: "",
    value: "FILE",
    help: "With it: our own certificate, by which etcd knows us. Read again when it changes.",
  },
  etcd_key: {
    schema: z.string(),
    fallback: "",
    value: "FILE",
    help: "Its key. Else it is in the same file.",
  },
  docker: {
    schema: z.url({ protocol: /^(?:http|unix)$/ }).refine(
      (url) => !url.startsWith("unix:") || /^unix:\/\/\/run\/rollcall\/[^.]/.test(url),
      "docker.sock is root's: let socket-proxy answer at http://<host>:<port> or unix:///run/rollcall/<file>",
    ).transform((url) => url.replace(/\/+$/, "")),
    fallback: "http://socket-proxy:2375",
    value: "URL",
    help:
      "The Engine API, as http://<host>:<port> or unix:///run/rollcall/<file>. It is only read.",
  },
  host: {
    schema: z.string().regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/, "a host name"),
    fallback: "",
    value: "NAME",
    help:
      "Name of this Docker host in the keys; no two hosts may have the same. Else what Docker calls itself.",
  },
  network: {
    schema: list,
    fallback: "",
    value: "NAMES",
    help:
      "Networks on which nginx reaches instances, the preferred first. Else those of the registrator's own container.",
  },
  internal: {
    schema: yesNo,
    fallback: "true",
    help:
      "Register a container's own address, on a network that nginx shares, and its own port. With --internal=false the ports that the host publishes, at the host's address: for nginx on another host. Unlike in registrator it is on unless it is switched off.",
  },
  ip: {
    schema: z.string().refine(
      (text) => text === "" || unicast(text) !== undefined,
      "an address of this host that nginx can reach, as 192.0.2.7 or 2001:db8::7",
    ).transform((text) => unicast(text) ?? ""),
    fallback: "",
    value: "ADDRESS",
    help:
      "This host's address, for published ports and for containers with network_mode: host. Else the address that a port is published on, else the gateway of the network that nginx shares, which no other host can reach.",
  },
  use_ip_from_label: {
    schema: z.string(),
    fallback: "",
    value: "LABEL",
    flag: "useIpFromLabel",
    help:
      "A label of containers that holds their address, as 10.0.0.5 or 10.0.0.5/24. It beats every other address.",
  },
  explicit: {
    schema: yesNo,
    fallback: "false",
    help: "Register only containers with a SERVICE_NAME.",
  },
  tags: {
    schema: z.string().refine(
      (text) => !text.includes("{{"),
      "Go templates are not run here: write the tags, and give containers a SERVICE_TAGS of their own",
    ).transform(tagsIn),
    fallback: "",
    value: "TAGS",
    help: "Tags for every instance, separated by commas; \\, is a comma within one.",
  },
  ttl: {
    schema: not("0", "keys without an end would outlive a host that is gone: give it some seconds")
      .pipe(seconds(3, 3600)),
    fallback: "15",
    value: "SECONDS",
    help: "How long keys outlive a registrator that is gone.",
  },
  ttl_refresh: {
    schema: seconds(0, 3599),
    fallback: "0",
    value: "SECONDS",
    help: "How often the keys' lease is renewed; shorter than --ttl. 0: three times in it.",
  },
  resync: {
    schema: not("0", "without it lost events would never heal: give it some seconds")
      .pipe(seconds(1, 3600)),
    fallback: "30",
    value: "SECONDS",
    help: "How often all containers and all keys are compared again, whatever events say.",
  },
  deregister: {
    schema: z.string().refine(
      (text) => text !== "on-success",
      "what has crashed must not get traffic: a container that is gone is always deregistered",
    ).refine(
      (text) => ["true", "false", "1", "0", "", "always", "on-success"].includes(text),
      "always, true or false",
    ).transform((text) => text === "true" || text === "1"),
    fallback: "always",
    value: "WHEN",
    words: ["always", "on-success", "true", "false"],
    help:
      "always: an instance when it leaves, whatever the exit code; when the registrator stops, its keys stay for --ttl, so that a successor takes them over and nobody notices. true: also all keys when the registrator stops; then there is nobody in rotation until it is back. false is the same as always.",
  },
  cleanup: {
    schema: z.string().refine(
      (text) => text === "true" || text === "1",
      "it cannot be switched off: a key of an instance that is gone is always removed",
    ).transform(() => true),
    fallback: "true",
    help: "Remove keys of this host that belong to no instance. That is always done.",
  },
  retry_attempts: {
    schema: number("", -1, 1_000_000),
    fallback: "-1",
    value: "NUMBER",
    help:
      "How often to try again when etcd does not answer at the start; then the exit status is 1. -1: for ever. Later it waits for ever in any case.",
  },
  retry_interval: {
    schema: number(" of milliseconds", 10, 600_000),
    fallback: "2000",
    value: "MILLISECONDS",
    help: "The longest time between two of these tries; the first ones come faster.",
  },
  metrics: {
    schema: z.literal("off").transform(() => undefined).or(
      z.string().regex(/^\d{1,5}$/, "a port, or off").transform(Number).pipe(
        z.number().min(0).max(65535),
      ),
    ),
    fallback: "off",
    value: "PORT",
    help:
      "Where GET /metrics and GET /health answer, at the address that this process has on the way to etcd; off: nowhere.",
  },
  log_level: {
    schema: z.enum(LEVELS),
    fallback: "info",
    value: "LEVEL",
    help: `${LEVELS.join(", ")}.`,
  },
} as const satisfies Readonly<Record<string, Setting>>;

type Settings = typeof SETTINGS;

/** The registrator's settings, checked. Times in the units that their help names. */
export type Config = { readonly [Name in keyof Settings]: z.output<Settings[Name]["schema"]> };

/** The settings by name, for whoever does not care which they are. */
export const ALL_SETTINGS: ReadonlyMap<string, Setting> = new Map(Object.entries(SETTINGS));

/** The variable of a setting. */
export function variableOf(name: string): string {
  return `ROLLCALL_${name.toUpperCase()}`;
}

/** The flag of a setting, without dashes before it. */
export function flagOf(name: string): string {
  return ALL_SETTINGS.get(name)?.flag ?? name.replaceAll("_", "-");
}
