// Reads the registrator's settings from flags and environment, and names every mistake at once. Owns no setting.
import { parseArgs } from "node:util";
import { etcdContradictions } from "../etcd/etcd_place.ts";
import { ALL_SETTINGS, type Config, flagOf, type Setting, variableOf } from "./settings.ts";

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
  const values: Record<string, unknown> = {};
  for (const [name, { schema, fallback }] of ALL_SETTINGS) {
    const variable = variableOf(name);
    const text = flags.get(name) ?? (env[variable] || fallback);
    const { success, data, error } = schema.safeParse(text);
    if (success) values[name] = data;
    else {
      const source = flags.has(name) ? `flag --${flagOf(name)}` : `variable ${variable}`;
      const reasons = error.issues.map((issue) => issue.message).join("; ");
      problems.push(`${source}: '${text.slice(0, 100)}': ${reasons}`);
    }
  }
  const known = new Set([...ALL_SETTINGS.keys()].map(variableOf));
  for (const variable of Object.keys(env)) {
    if (variable.startsWith("ROLLCALL_") && !known.has(variable)) {
      problems.push(`variable ${variable}: there is no such setting`);
    }
  }
  const config = values as Config;
  problems.push(...etcdContradictions(config));
  if (config.ttl_refresh >= config.ttl) {
    const { ttl, ttl_refresh } = config;
    problems.push(`ttl-refresh: '${ttl_refresh}': not shorter than ttl, which is ${ttl}`);
  }
  if (problems.length > 0) {
    throw new ConfigError(
      `Cannot start: ${problems.length} wrong setting(s)\n${
        problems.map((p) => `  ${p}`).join("\n")
      }`,
    );
  }
  return config;
}

function readFlags(args: readonly string[], problems: string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const names = new Map([...ALL_SETTINGS.keys()].map((name) => [flagOf(name), name]));
  const options = Object.fromEntries(
    [...ALL_SETTINGS].map(([name, { value }]) => [
      flagOf(name),
      { type: value === undefined ? "boolean" as const : "string" as const },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...inOurForm(args, names)],
    options,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") problems.push(unexpected(token.value));
    if (token.kind !== "option") continue;
    const name = names.get(token.name);
    if (name === undefined) {
      problems.push(`flag ${token.rawName}: there is no such flag`);
      continue;
    }
    // `--host --ttl 5`: what follows is the next flag, not a value.
    const missing = token.value === undefined ||
      (!token.inlineValue && token.value.startsWith("--"));
    if (missing && ALL_SETTINGS.get(name)?.value !== undefined) {
      problems.push(`flag --${token.name}: its value is missing`);
    } else found.set(name, token.value ?? "true");
  }
  return found;
}

/** registrator's flags have one dash: both forms are understood. And a flag with `words` may stand alone. */
function* inOurForm(
  args: readonly string[],
  names: ReadonlyMap<string, string>,
): Iterable<string> {
  for (const [i, arg] of args.entries()) {
    const flag = /^-[A-Za-z]{2,}/.test(arg) ? `-${arg}` : arg;
    const setting: Setting | undefined = ALL_SETTINGS.get(names.get(flag.slice(2)) ?? "");
    const alone = setting?.words && !setting.words.includes(args[i + 1] ?? "");
    yield alone ? `${flag}=true` : flag;
  }
}

function unexpected(argument: string): string {
  const hint = /^[a-z0-9-]+:\/\//.test(argument)
    ? "not expected. In place of registrator's registry URI say --etcd=http://<host>:2379"
    : "not expected";
  return `argument '${argument.slice(0, 100)}': ${hint}`;
}
