// The dashboard's settings from the environment. Owns their names, defaults and limits.
import { z } from "zod";
import { etcdContradictions, type EtcdSettings } from "../etcd/etcd_place.ts";
import { LEVELS } from "../log.ts";
import { ConfigError } from "../registrator/config.ts";

const url = z.url({ protocol: /^http$/ }).transform((text) => text.replace(/\/+$/, ""));

const SETTINGS = {
  etcd: {
    schema: z.string().transform((text) => text.split(",").map((item) => item.trim()))
      .pipe(z.array(z.url({ protocol: /^https?$/ })).min(1)),
    fallback: "http://etcd:2379",
    help: "etcd's endpoints, separated by commas",
  },
  etcd_ca: { schema: z.string(), fallback: "", help: "a file: the CA certificate of etcd" },
  etcd_cert: { schema: z.string(), fallback: "", help: "a file: our own certificate" },
  etcd_key: { schema: z.string(), fallback: "", help: "a file: its key, if it is one of its own" },
  edge: { schema: url, fallback: "http://nginx:8081", help: "nginx's status listener" },
  registrator: {
    schema: z.literal("off").transform(() => undefined).or(url),
    fallback: "off",
    help:
      "where a registrator answers GET /health, as http://registrator:9100; off: it is not asked",
  },
  port: {
    schema: z.string().regex(/^\d{1,5}$/, "a port").transform(Number).pipe(
      z.number().min(0).max(65535),
    ),
    fallback: "8080",
    help: "where the page is served",
  },
  log_level: { schema: z.enum(LEVELS), fallback: "info", help: LEVELS.join(", ") },
} as const;

type Settings = typeof SETTINGS;

/** The dashboard's settings, checked. */
export type DashboardSettings = {
  readonly [Name in keyof Settings]: z.output<Settings[Name]["schema"]>;
};

/** Settings from the environment, else defaults; there are no flags. Throws a ConfigError that names every wrong one. */
export function readDashboardSettings(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): DashboardSettings {
  const problems = args.map((arg) => `argument '${arg.slice(0, 100)}': not expected`);
  const settings: Record<string, unknown> = {};
  for (const [name, { schema, fallback, help }] of Object.entries(SETTINGS)) {
    const variable = variableOf(name);
    const text = env[variable] || fallback;
    const { success, data, error } = schema.safeParse(text);
    if (success) settings[name] = data;
    else {
      const why = error.issues.map(({ message }) => message).join("; ");
      problems.push(`variable ${variable}: '${text.slice(0, 100)}': ${why}; expected: ${help}`);
    }
  }
  const known = new Set(Object.keys(SETTINGS).map(variableOf));
  for (const variable of Object.keys(env)) {
    if (variable.startsWith("ROLLCALL_") && !known.has(variable)) {
      problems.push(`variable ${variable}: there is no such setting of the dashboard`);
    }
  }
  problems.push(...etcdContradictions(settings as Partial<EtcdSettings>));
  if (problems.length > 0) {
    const lines = problems.map((problem) => `  ${problem}`).join("\n");
    throw new ConfigError(`Cannot start: ${problems.length} wrong setting(s)\n${lines}`);
  }
  return settings as DashboardSettings;
}

function variableOf(name: string): string {
  return `ROLLCALL_${name.toUpperCase()}`;
}
