// The program: the only place that reads arguments and environment, handles signals and exits.

import denoJson from "../deno.json" with { type: "json" };
import { help, parseArguments, UsageError } from "./arguments.ts";
import { systemClock } from "./clock.ts";
import { ConfigError, readConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { variables } from "./settings.ts";

const { version } = denoJson;

try {
  Deno.exit(await main());
} catch (error) {
  const told = error instanceof UsageError || error instanceof ConfigError;
  if (!told && !(error instanceof Error && error.name === "ListenError")) throw error;
  console.error(error.message);
  Deno.exit(told ? 2 : 1);
}

async function main(): Promise<number> {
  switch (parseArguments(Deno.args)) {
    case "help":
      console.log(help(version).trimEnd());
      return 0;
    case "version":
      console.log(version);
      return 0;
    case "healthcheck":
      return await checkHealth();
    case "serve":
      return await runService();
  }
}

async function checkHealth(): Promise<number> {
  const { healthcheck } = await import("./healthcheck.ts");
  const { host, port } = configuration();
  const { ok, reason } = await healthcheck(host, port, systemClock);
  console.log(reason);
  return ok ? 0 : 1;
}

async function runService(): Promise<number> {
  // First of all: process 1 of a container ignores a signal that nobody handles. Until there is
  // something to drain, a signal ends the program at once.
  let leave: (reason: string) => void = () => Deno.exit(0);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => leave(signal));
  }
  const config = configuration();
  const log = createLog({
    level: config.logLevel,
    terminal: Deno.stdout.isTerminal(),
    write: (line) => console.log(line),
  });
  // Loaded only here: a health check starts every few seconds and needs none of it.
  const { serve } = await import("./serve.ts");
  return await serve(config, {
    version,
    log,
    clock: systemClock,
    onLeave: (begin) => leave = begin,
  });
}

/** @throws {ConfigError} listing every wrong variable. */
function configuration() {
  // One by one: the binary may read these variables only, so it cannot list the environment.
  const env = Object.fromEntries(variables.map((name) => [name, Deno.env.get(name)]));
  return readConfig(env, Deno.hostname());
}
