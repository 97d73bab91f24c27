// The `rollcall` program: reads arguments, environment and signals, builds the parts, and runs a command.
import { delay } from "./delay.ts";
import { HttpEngine } from "./docker/engine.ts";
import { etcdPlaceOf } from "./etcd/etcd_place.ts";
import { EtcdRegistry } from "./etcd/etcd_registry.ts";
import { TlsError } from "./etcd/tls_files.ts";
import { createLog, type Log, messageOf } from "./log.ts";
import { backoff } from "./backoff.ts";
import { RegistratorMetrics } from "./metrics/registrator_metrics.ts";
import { serveMetrics } from "./metrics/serve_metrics.ts";
import { isCommand } from "./commands/names.ts";
import { manPage } from "./help.ts";
import { ConfigError, readConfig } from "./registrator/config.ts";
import { Origins } from "./registrator/origins.ts";
import { probe } from "./registrator/probe.ts";
import { GaveUpError } from "./registrator/reconcile.ts";
import { Registrator } from "./registrator/registrator.ts";
import { rulesOf, type Self, selfOf } from "./registrator/rules_of.ts";
import type { Config } from "./registrator/settings.ts";
import { VERSION } from "./version.ts";

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
    address: config.ip || self.hostAddress,
    ttl: config.ttl,
    resync: config.resync,
  });
  const registry = new EtcdRegistry(etcdPlaceOf(config));
  const metrics = config.metrics === undefined ? undefined : new RegistratorMetrics({
    version: VERSION,
    standing: () => registrator.standing,
    now: () => Date.now(),
    startedAt: performance.timeOrigin,
    memory: () => Deno.memoryUsage().rss,
  });
  const origins = new Origins(() => Date.now());
  const registrator: Registrator = new Registrator({
    engine: origins.engine(metrics?.engine(engine) ?? engine),
    origins,
    registry: metrics?.registry(registry) ?? registry,
    probe: metrics?.probe(probe) ?? probe,
    ...rulesOf(config, self),
    ttl: config.ttl,
    refresh: config.ttl_refresh > 0 ? config.ttl_refresh * 1000 : config.ttl * 1000 / 3,
    retries: {
      attempts: config.retry_attempts < 0 ? Infinity : config.retry_attempts,
      interval: config.retry_interval,
    },
    resync: config.resync * 1000,
    version: VERSION,
    log,
  });
  if (metrics && config.metrics !== undefined) {
    const health = () => {
      const { docker, etcd } = registrator.standing;
      return { docker, etcd };
    };
    const { port, endpoints } = { port: config.metrics, endpoints: config.etcd };
    // Nobody waits for it, neither now nor at the end.
    serveMetrics(
      { port, endpoints, metrics: () => metrics.text(), health, log, wait: delay },
      stop.signal,
    );
  }
  const beating = beat(registrator, stop.signal);
  await registrator.run(stop.signal);
  await beating;
  const removed = config.deregister && await deregister(registrator, log);
  registry.close();
  log.info("registrator stopped", { keys: removed ? "removed" : "kept until the lease ends" });
}

async function runDashboard(args: readonly string[], env: Record<string, string>): Promise<void> {
  const [{ serveDashboard }, { readDashboardSettings }] = await Promise.all([
    import("./dashboard/serve.ts"), // only when asked for: the registrator needs none of it
    import("./dashboard/settings.ts"),
  ]);
  const settings = readDashboardSettings(args, env);
  const log = createLog(settings.log_level, (line) => console.log(line), {
    terminal: Deno.stdout.isTerminal(),
  });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  const beating = beat({ healthy: true }, stop.signal); // as long as the process is not stuck
  await serveDashboard(settings, { version: VERSION, log, signal: stop.signal });
  await beating;
  log.info("dashboard stopped");
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

/** What Docker says of the registrator itself; waits for Docker. */
async function introduce(
  engine: HttpEngine,
  config: Config,
  log: Log,
  signal: AbortSignal,
): Promise<Self | undefined> {
  let said = "";
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      return await selfOf(engine, config, Deno.hostname(), signal);
    } catch (error) {
      const message = messageOf(error);
      if (message !== said && !signal.aborted) log.warn("waiting for docker", { error: message });
      said = message;
      await delay(backoff(tries, { first: 100, most: 5_000 }), signal);
    }
  }
}

async function beat(part: { readonly healthy: boolean }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (part.healthy) {
      // Outside a container there is no such folder, and nobody who looks.
      await Deno.writeTextFile(HEARTBEAT, `${Date.now()}\n`).catch(() => {});
    }
    await delay(2_000, signal);
  }
}

if (import.meta.main) {
  const [command, ...rest] = Deno.args;
  if (isCommand(command)) {
    const [{ runCommand }, { ofProcess }] = await Promise.all([
      import("./commands/run.ts"), // only when asked for: the registrator needs none of it
      import("./commands/process.ts"),
    ]);
    Deno.exit(await runCommand(Deno.args, ofProcess()));
  } else if (Deno.args.some((arg) => ["--help", "-help", "-h"].includes(arg))) {
    console.log(manPage(VERSION));
  } else if (command === "--version") {
    console.log(VERSION);
  } else if (command !== "registrator" && command !== "dashboard") {
    console.error(
      `Cannot run '${
        command ?? ""
      }': there is no such command. rollcall --help shows what there is.`,
    );
    Deno.exit(2);
  } else {
    try {
      const env = Deno.env.toObject();
      if (command === "dashboard") await runDashboard(rest, env);
      else await runRegistrator(readConfig(rest, env));
      Deno.exit(0); // grpc-js may leave timers behind
    } catch (error) {
      const wrong = error instanceof ConfigError || error instanceof TlsError;
      if (!(wrong || error instanceof GaveUpError)) throw error;
      console.error(error.message);
      Deno.exit(wrong ? 2 : 1);
    }
  }
}
