// Puts one instance together: app, metrics, life and the port. Decides nothing by itself.

import { createApp } from "./app.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { Lifecycle, type Listener } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";

export interface ServeDependencies {
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Is given, once, what to call when the instance shall leave. */
  readonly onLeave: (leave: (reason: string) => void) => void;
}

/** Thrown when the port cannot be had. */
export class ListenError extends Error {
  override name = "ListenError";
}

/**
 * Runs an instance from start to end; resolves with the exit code.
 *
 * @throws {ListenError} when the port is taken or not allowed.
 */
export function serve(config: Config, dependencies: ServeDependencies): Promise<0 | 1> {
  const { version, log, clock, onLeave } = dependencies;
  const { instance } = config;
  const lifecycle: Lifecycle = new Lifecycle({
    ...config,
    clock,
    log: (level, event, fields) => log(level, event, { instance, ...fields }),
    inFlight: () => metrics.inFlight,
  });
  const metrics: Metrics = new Metrics({
    version,
    instance,
    ready: () => lifecycle.phase === "ready",
    startedAt: new Date(),
  });
  onLeave((reason) => lifecycle.leave(reason));
  const app = createApp({ config, version, lifecycle, metrics, clock, log });
  return lifecycle.run(() =>
    listen(config, app.fetch, (address) => {
      log("info", "listening", { instance, version, ...address });
    })
  );
}

function listen(
  { host: hostname, port }: Config,
  handler: (request: Request) => Response | Promise<Response>,
  onListen: (address: { hostname: string; port: number }) => void,
): Listener {
  try {
    return Deno.serve({
      hostname,
      port,
      onListen: ({ hostname, port }) => onListen({ hostname, port }),
    }, handler);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const hint = "Choose another PORT or HOST";
    throw new ListenError(`Cannot listen on ${hostname}:${port}: ${reason}. ${hint}.`, { cause });
  }
}
