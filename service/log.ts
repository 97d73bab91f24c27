// Log lines: one JSON object per event, or a readable line on a terminal. Owns no destination.

export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = typeof levels[number];

/** Says what happened. `event` is a short fixed phrase; what varies goes into `fields`. */
export type Log = (level: Level, event: string, fields?: Record<string, unknown>) => void;

export interface LogOptions {
  /** Events below this level are dropped. */
  readonly level: Level;
  /** Whether people read it. */
  readonly terminal: boolean;
  /** Receives each line, without its newline. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

/** Builds a log. It never throws, whatever the fields hold. */
export function createLog({ level, terminal, write, now = () => new Date() }: LogOptions): Log {
  const threshold = levels.indexOf(level);
  return (at, event, fields = {}) => {
    if (levels.indexOf(at) < threshold) return;
    const time = now().toISOString();
    write(terminal ? readable(time, at, event, fields) : line(time, at, event, fields));
  };
}

/** Fields that tell what went wrong, of anything that was thrown. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) };
  return { error: error.message, stack: error.stack };
}

// The three fixed fields stand first and win over a field of the same name.
function line(time: string, level: Level, event: string, fields: Record<string, unknown>): string {
  const fixed = { time, level, event };
  try {
    return JSON.stringify({ ...fixed, ...fields, ...fixed });
  } catch {
    const safe = Object.entries(fields).map(([name, value]) => [name, json(value)]);
    return JSON.stringify({ ...fixed, ...Object.fromEntries(safe), ...fixed });
  }
}

function readable(time: string, at: Level, event: string, fields: Record<string, unknown>): string {
  const parts = Object.entries(fields).map(([name, value]) =>
    name === "stack" ? `\n${value}` : ` ${name}=${typeof value === "string" ? value : json(value)}`
  );
  return `${time.slice(11, 23)} ${at.padEnd(5)} ${event}${parts.join("")}`;
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}
