// The environment variables: their names, forms, defaults and help. Reads none of them.

import * as z from "zod";
import { levels } from "./log.ts";

const seconds = (max: number) =>
  number(max, /^\d+(\.\d+)?$/, `a number of seconds from 0 to ${max}`);
const whole = (max: number, of = "") =>
  number(max, /^\d+$/, `a whole number${of} from 0 to ${max}`);

function number(max: number, form: RegExp, wanted: string) {
  return z.string().regex(form, { error: wanted, abort: true }).transform(Number)
    .pipe(z.number({ error: wanted }).max(max, { error: wanted }));
}

interface Setting<Schema extends z.ZodType> {
  readonly parse: Schema;
  /** As it would be written in the environment; absent where the default is found at start. */
  readonly fallback?: string;
  readonly help: string;
  /** Names that people type instead. They are errors: a setting that is ignored is worse. */
  readonly mistaken?: readonly string[];
}

const setting = <Schema extends z.ZodType>(definition: Setting<Schema>) => definition;

const hour = 3600;

export const settings = {
  PORT: setting({
    parse: whole(65535),
    fallback: "8080",
    help: "TCP port to listen on; 0 takes a free one",
  }),
  HOST: setting({
    parse: z.union([z.ipv4(), z.ipv6(), z.hostname()], { error: "an IP address or host name" }),
    fallback: "0.0.0.0",
    help: "address to listen on",
  }),
  INSTANCE: setting({
    parse: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: "1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit",
    }),
    help: "name of this instance; the host name when not set",
    mistaken: ["INSTANCE_NAME"],
  }),
  DRAIN_SECONDS: setting({
    parse: seconds(hour),
    fallback: "3",
    help: "how long to keep serving after SIGTERM, so that nobody is sent to a closed port",
    mistaken: ["DRAIN", "DRAIN_SECOND", "DRAIN_TIMEOUT", "DRAIN_MS"],
  }),
  SHUTDOWN_TIMEOUT_SECONDS: setting({
    parse: seconds(hour),
    fallback: "14",
    help: "from SIGTERM to exit at most; keep it below the stop_grace_period",
    mistaken: ["SHUTDOWN_TIMEOUT", "SHUTDOWN_SECONDS", "SHUTDOWN_TIMEOUT_MS"],
  }),
  START_DELAY_MS: setting({
    parse: whole(hour * 1000, " of milliseconds"),
    fallback: "0",
    help: "wait before listening, to see what a slow start does",
    mistaken: ["START_DELAY", "START_DELAY_SECONDS", "STARTUP_DELAY_MS"],
  }),
  MAX_BODY_BYTES: setting({
    parse: whole(2 ** 30, " of bytes"),
    fallback: "1048576",
    help: "largest request body; a longer one is answered 413",
    mistaken: ["MAX_BODY", "MAX_BODY_SIZE"],
  }),
  MAX_SLOW_MS: setting({
    parse: whole(hour * 1000, " of milliseconds"),
    fallback: "10000",
    help: "longest wait that /slow?ms= grants",
    mistaken: ["MAX_SLOW", "MAX_SLOW_SECONDS"],
  }),
  LOG_LEVEL: setting({
    parse: z.enum(levels, { error: `one of ${levels.join(", ")}` }),
    fallback: "info",
    help: "least level that is logged",
    mistaken: ["LOGLEVEL"],
  }),
  ACCESS_LOG: setting({
    parse: z.stringbool({
      truthy: ["on", "true", "1"],
      falsy: ["off", "false", "0"],
      error: "on or off",
    }),
    fallback: "off",
    help: "one log line per request",
    mistaken: ["ACCESS_LOGS"],
  }),
};

export type Name = keyof typeof settings;

/** Settings by the name of their variable, in its unit. */
export type Values = { [N in Name]: z.output<typeof settings[N]["parse"]> };

export const names = Object.keys(settings) as Name[];

/** Names that people type instead of `name`. */
export function mistaken(name: Name): readonly string[] {
  return settings[name].mistaken ?? [];
}

/** Every variable that is looked at, mistaken names included. */
export const variables: readonly string[] = names.flatMap((name) => [name, ...mistaken(name)]);
