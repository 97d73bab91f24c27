// The process a command runs in: its terminal, environment, signals. Owns no command.
import type { Surroundings } from "./run.ts";
import type { Terminal } from "./terminal.ts";

/** The registrator's heartbeat, where the command runs in its container. */
const HEARTBEAT = "/run/rollcall/healthy";

/** What this process gives a command. */
export function ofProcess(): Surroundings {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  return {
    env: Deno.env.toObject(),
    terminal: terminal(),
    hostname: () => Deno.hostname(),
    heartbeat: async () => {
      const found = await Deno.stat(HEARTBEAT).catch(() => undefined);
      return found?.mtime?.getTime();
    },
    signal: stop.signal,
  };
}

function terminal(): Terminal {
  const interactive = Deno.stdout.isTerminal();
  return {
    write: (text) => print(Deno.stdout, text),
    warn: (text) => print(Deno.stderr, text),
    interactive,
    colours: interactive && !Deno.env.get("NO_COLOR"),
    width: () => interactive ? columns() : Infinity,
  };
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80; // 0 where a terminal has not said yet
  } catch {
    return 80;
  }
}

/** Whoever reads may stop reading, as `head` does: then there is nothing left to do. */
function print(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw error;
  }
}
