// Turns environment variables into the configuration, or into one message with every mistake.

import type { Level } from "./log.ts";
import { mistaken, type Name, names, settings, type Values } from "./settings.ts";

/** Thrown when settings are wrong; its message lists every one of them. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** What the service runs with. Times are in milliseconds, whatever unit the variable has. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly instance: string;
  readonly drainMs: number;
  readonly shutdownTimeoutMs: number;
  readonly startDelayMs: number;
  readonly maxBodyBytes: number;
  readonly maxSlowMs: number;
  readonly logLevel: Level;
  readonly accessLog: boolean;
}

/**
 * Makes the configuration of environment variables. An empty variable counts as not set, as
 * Compose passes `PORT: ${PORT:-}` on as an empty one.
 *
 * @throws {ConfigError} listing everything that is wrong.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  hostname: string,
): Config {
  const wrong: string[] = [];
  const values: Partial<Record<Name, unknown>> = {};
  for (const name of names) {
    for (const other of mistaken(name).filter((other) => env[other])) {
      wrong.push(`${other} is not a setting: did you mean ${name}?`);
    }
    const raw = env[name] || settings[name].fallback || hostname;
    const result = settings[name].parse.safeParse(raw);
    if (result.success) values[name] = result.data;
    else wrong.push(`${name} is ${JSON.stringify(raw)}: give ${result.error.issues[0]?.message}`);
  }
  const { DRAIN_SECONDS: drain, SHUTDOWN_TIMEOUT_SECONDS: timeout } = values as Partial<Values>;
  if (drain !== undefined && timeout !== undefined && timeout <= drain) {
    wrong.push(`SHUTDOWN_TIMEOUT_SECONDS is ${timeout}: give more than DRAIN_SECONDS (${drain})`);
  }
  if (wrong.length > 0) {
    const count = wrong.length === 1 ? "a setting is wrong" : `${wrong.length} settings are wrong`;
    throw new ConfigError([`Cannot start: ${count}.`, ...wrong].join("\n  "));
  }
  return configOf(values as Values);
}

function configOf(values: Values): Config {
  return {
    port: values.PORT,
    host: values.HOST,
    instance: values.INSTANCE,
    drainMs: values.DRAIN_SECONDS * 1000,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_SECONDS * 1000,
    startDelayMs: values.START_DELAY_MS,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxSlowMs: values.MAX_SLOW_MS,
    logLevel: values.LOG_LEVEL,
    accessLog: values.ACCESS_LOG,
  };
}
