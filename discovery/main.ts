// The `rollcall` program: reads arguments, environment and signals, builds the parts, and runs a command.
import { delay } from "./delay.ts";
import { HttpEngine } from "./docker/engine.ts";
import { EtcdRegistry } from "./etcd/etcd_registry.ts";
import { createLog, type Log, messageOf } from "./log.ts";
import { backoff } from "./backoff.ts";
import { type Config, ConfigError, readConfig, settingsHelp } from "./registrator/config.ts";
import { probe } from "./registrator/probe.ts";
import { Registrator } from "./registrator/registrator.ts";
import { VERSION } from "./version.ts";

const HELP = `rollcall ${VERSION}

Usage: rollcall registrator [flags]
       rollcall --version | --help

registrator  watches Docker and keeps in etcd, on a lease, which instances may get traffic

Flags, each also a variable:
${settingsHelp()}

Exit codes: 0 stopped by SIGTERM or SIGINT, 2 wrong flags or variables.
`;

/** A file that Docker's health check looks at: fresh as long as all is well. */
const HEARTBEAT = "/run/rollcall/healthy";

async function runRegistrator(config: Config): Promise<void> {
  const log = createLog(config.log_level, (line) => console.log(line), {
    terminal: Deno.stdout.isTerminal(),
  });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  const engine = new HttpEngine(config.docker);
  const self = await introduce(engine, config, log, stop.signal);
  if (self === undefined) return; // stopped while waiting
  log.info("registrator starts", {
    version: VERSION,
    host: self.host,
    networks: self.networks.join(","),
    ttl: config.ttl,
    resync: config.resync,
  });
  const registry = new EtcdRegistry({ endpoints: config.etcd });
  const registrator = new Registrator({
    engine,
    registry,
    probe,
    host: self.host,
    networks: self.networks,
    explicit: config.explicit,
    tags: config.tags,
    ttl: config.ttl,
    resync: config.resync * 1000,
    version: VERSION,
    log,
  });
  const beating = beat(registrator, stop.signal);
  await registrator.run(stop.signal);
  await beating;
  const removed = config.deregister && await deregister(registrator, log);
  registry.close();
  log.info("registrator stopped", { keys: removed ? "removed" : "kept until the lease ends" });
}

async function deregister(registrator: Registrator, log: Log): Promise<boolean> {
  try {
    await registrator.deregister();
    return true;
  } catch (error) {
    log.warn("keys not removed", { error: messageOf(error) });
    return false;
  }
}

/** The host's name and the networks, asked of Docker where they are not set; waits for Docker. */
async function introduce(
  engine: HttpEngine,
  config: Config,
  log: Log,
  signal: AbortSignal,
): Promise<{ host: string; networks: readonly string[] } | undefined> {
  let said = "";
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      const host = config.host || await engine.hostName(signal);
      if (config.network.length > 0) return { host, networks: config.network };
      const own = await engine.inspect(Deno.hostname(), signal);
      if (!own) {
        throw new Error("Cannot find the registrator's own container: set ROLLCALL_NETWORK");
      }
      return { host, networks: own.networks.map(({ name }) => name) };
    } catch (error) {
      const message = messageOf(error);
      if (message !== said && !signal.aborted) log.warn("waiting for docker", { error: message });
      said = message;
      await delay(backoff(tries, { first: 100, most: 5_000 }), signal);
    }
  }
}

async function beat(registrator: Registrator, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (registrator.healthy) {
      // Outside a container there is no such folder, and nobody who looks.
      await Deno.writeTextFile(HEARTBEAT, `${Date.now()}\n`).catch(() => {});
    }
    await delay(2_000, signal);
  }
}

if (import.meta.main) {
  const [command, ...rest] = Deno.args;
  if (command === "--help" || command === "-h" || rest.includes("--help")) {
    console.log(HELP);
  } else if (command === "--version") {
    console.log(VERSION);
  } else if (command !== "registrator") {
    console.error(`Cannot run '${command ?? ""}': there is no such command\n\n${HELP}`);
    Deno.exit(2);
  } else {
    try {
      const config = readConfig(rest, Deno.env.toObject());
      await runRegistrator(config);
      Deno.exit(0); // grpc-js may leave timers behind
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      console.error(error.message);
      Deno.exit(2);
    }
  }
}
