// The registrator's settings from the environment and from flags. Owns their names, defaults and limits.
import { parseArgs } from "node:util";
import { z } from "zod";
import { LEVELS } from "../log.ts";

const list = z.string().transform((text) =>
  text.split(",").map((item) => item.trim()).filter((item) => item !== "")
);
const yesNo = z.enum(["true", "false", "1", "0", ""]).transform((text) =>
  text === "true" || text === "1"
);
const seconds = (least: number, most: number) =>
  z.string().regex(/^\d+$/, "a whole number of seconds").transform(Number).pipe(
    z.number().min(least).max(most),
  );

/** Each setting: its variable is ROLLCALL_<NAME>, its flag --<name>. */
const SETTINGS = {
  etcd: {
    schema: list.pipe(z.array(z.url({ protocol: /^https?$/ })).min(1)),
    fallback: "http://etcd:2379",
    help: "etcd's endpoints, separated by commas",
  },
  docker: {
    schema: z.url({ protocol: /^http$/ }).transform((url) => url.replace(/\/+$/, "")),
    fallback: "http://socket-proxy:2375",
    help: "the Engine API, read only",
  },
  host: {
    schema: z.string().regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/, "a host name"),
    fallback: "",
    help: "name of this Docker host in the keys (default: what Docker calls itself)",
  },
  network: {
    schema: list,
    fallback: "",
    help:
      "networks on which nginx reaches instances, the preferred first (default: the registrator's own)",
  },
  ttl: {
    schema: seconds(3, 3600),
    fallback: "15",
    help: "how long keys outlive the registrator, in s",
  },
  resync: {
    schema: seconds(1, 3600),
    fallback: "30",
    help: "how often everything is compared again, in s",
  },
  explicit: {
    schema: yesNo,
    fallback: "false",
    help: "register only containers with a SERVICE_NAME",
  },
  tags: { schema: list, fallback: "", help: "tags for every instance, separated by commas" },
  deregister: {
    schema: yesNo,
    fallback: "false",
    help:
      "remove all keys when the registrator is stopped (a successor then finds none to take over)",
  },
  log_level: { schema: z.enum(LEVELS), fallback: "info", help: LEVELS.join(", ") },
} as const;

type Settings = typeof SETTINGS;

/** The registrator's settings, checked. `ttl` and `resync` in seconds. */
export type Config = { readonly [Name in keyof Settings]: z.output<Settings[Name]["schema"]> };

/** Something in flags or environment is wrong; the message lists everything that is. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Settings from flags, else environment, else defaults.
 * Throws a ConfigError that names every wrong, unknown or misspelt one.
 */
export function readConfig(args: readonly string[], env: Readonly<Record<string, string>>): Config {
  const problems: string[] = [];
  const flags = readFlags(args, problems);
  const config: Record<string, unknown> = {};
  for (const [name, { schema, fallback }] of Object.entries(SETTINGS)) {
    const variable = variableOf(name);
    const text = flags[name] ?? (env[variable] || fallback);
    const { success, data, error } = schema.safeParse(text);
    if (success) config[name] = data;
    else {
      const source = name in flags ? `flag ${flagOf(name)}` : `variable ${variable}`;
      problems.push(
        `${source}: '${text.slice(0, 100)}': ${
          error.issues.map((issue) => issue.message).join("; ")
        }`,
      );
    }
  }
  const known = new Set(Object.keys(SETTINGS).map(variableOf));
  for (const variable of Object.keys(env)) {
    if (variable.startsWith("ROLLCALL_") && !known.has(variable)) {
      problems.push(`variable ${variable}: there is no such setting`);
    }
  }
  if (problems.length > 0) {
    throw new ConfigError(
      `Cannot start: ${problems.length} wrong setting(s)\n${
        problems.map((p) => `  ${p}`).join("\n")
      }`,
    );
  }
  return config as Config;
}

/** The settings as lines of help. */
export function settingsHelp(): string {
  return Object.entries(SETTINGS).map(([name, { fallback, help }]) =>
    `  ${flagOf(name).padEnd(12)} ${variableOf(name).padEnd(20)} ${help}${
      fallback ? ` (default ${fallback})` : ""
    }`
  ).join("\n");
}

/** The variables that the registrator reads. */
export function variables(): readonly string[] {
  return Object.keys(SETTINGS).map(variableOf);
}

function readFlags(args: readonly string[], problems: string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  const options = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, { schema }]) => [
      name.replace("_", "-"),
      { type: schema === yesNo ? "boolean" as const : "string" as const },
    ]),
  );
  // registrator's flags have one dash; both forms are understood.
  const dashed = args.map((arg) => /^-[a-z]{2,}/.test(arg) ? `-${arg}` : arg);
  const { tokens } = parseArgs({ args: dashed, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "option" && Object.hasOwn(options, token.name)) {
      const wantsValue = options[token.name]!.type === "string";
      // `--host --ttl 5`: what follows is the next flag, not a value.
      const missing = token.value === undefined ||
        (!token.inlineValue && token.value.startsWith("--"));
      if (wantsValue && missing) {
        problems.push(`flag --${token.name}: its value is missing`);
      } else flags[token.name.replace("-", "_")] = token.value ?? "true";
    } else if (token.kind === "option") {
      problems.push(`flag ${token.rawName}: there is no such flag`);
    } else if (token.kind === "positional") {
      problems.push(`argument '${token.value.slice(0, 100)}': not expected`);
    }
  }
  return flags;
}

function variableOf(name: string): string {
  return `ROLLCALL_${name.toUpperCase()}`;
}

function flagOf(name: string): string {
  return `--${name.replace("_", "-")}`;
}
