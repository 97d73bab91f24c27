// One line for each thing that happened: JSON for machines, plain words on a terminal. Owns no decision what to log.

/** Fields of a log line, by the names in docs: service, instance, container, key, lease, error. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where a component says what happened. */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

/** A Log that writes lines of at least `level` through `write`. */
export function createLog(
  level: Level,
  write: (line: string) => void,
  { terminal = false, now = () => new Date() }: { terminal?: boolean; now?: () => Date } = {},
): Log {
  const say = (at: Level) => (event: string, fields: Fields = {}) => {
    if (LEVELS.indexOf(at) < LEVELS.indexOf(level)) return;
    const time = now().toISOString();
    write(
      terminal
        ? [time.slice(11, 23), at.padEnd(5), event, ...pairs(fields)].join(" ")
        : JSON.stringify({ time, level: at, event, ...fields }),
    );
  };
  return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
}

function pairs(fields: Fields): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === "string" ? JSON.stringify(value) : value}`);
}
