// Runs one command of people: settings, connections, terminal, exit code. Owns no command.
import { CommanderError } from "commander";
import { delay } from "../delay.ts";
import { HttpEngine } from "../docker/engine.ts";
import { etcdPlaceOf } from "../etcd/etcd_place.ts";
import { EtcdRegistry } from "../etcd/etcd_registry.ts";
import { TlsError, validUntil } from "../etcd/tls_files.ts";
import { messageOf } from "../log.ts";
import { ConfigError, readConfig } from "../registrator/config.ts";
import type { Rules } from "../registrator/instances_of.ts";
import { rulesOf, selfOf } from "../registrator/rules_of.ts";
import type { Config } from "../registrator/settings.ts";
import { askNginx } from "./ask_nginx.ts";
import { type Context, EXIT, UsageError } from "./context.ts";
import { edgeAt } from "./edge.ts";
import { doctor } from "./doctor.ts";
import { drain, undrain } from "./drain.ts";
import { explainContainer } from "./explain.ts";
import { conditionOf } from "./inspected.ts";
import { ls } from "./ls.ts";
import { type Actions, type Places, program } from "./program.ts";
import { styled, type Terminal } from "./terminal.ts";
import { watch } from "./watch.ts";

/** What a command gets from the process it runs in. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: Terminal;
  /** Name of the container this runs in, whose networks are nginx's unless ROLLCALL_NETWORK says otherwise. */
  readonly hostname: () => string;
  /** When the registrator's heartbeat was last written, in ms; undefined where there is none. */
  readonly heartbeat: () => Promise<number | undefined>;
  readonly signal: AbortSignal;
}

/** Runs what the arguments say and returns the exit code. Never throws on what people or networks do. */
export async function runCommand(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { terminal } = surroundings;
  let code: number = EXIT.ok;
  const root = program((places) => actionsOf(places, surroundings), (exit) => code = exit);
  for (const command of [root, ...root.commands]) {
    command.configureOutput({
      writeOut: terminal.write,
      writeErr: terminal.warn,
      getOutHelpWidth: () => Math.min(100, terminal.width()),
      getOutHasColors: () => terminal.colours,
    }).configureHelp({ styleTitle: (text) => styled(terminal, "bold", text) });
  }
  try {
    await root.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    terminal.warn(`${error instanceof Error ? error.message : messageOf(error)}\n`);
    if ([UsageError, ConfigError, TlsError].some((kind) => error instanceof kind)) {
      return EXIT.usage;
    }
    terminal.warn("`rollcall doctor` says which link is broken.\n");
    return EXIT.unreachable;
  }
}

function actionsOf(places: Places, surroundings: Surroundings): Actions {
  const { terminal, signal, env, heartbeat, hostname } = surroundings;
  const { edge = "http://nginx:8081", ...settings } = places;
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const using = async (work: (context: Context, config: Config) => Promise<number>) => {
    const config = readConfig(flags, env);
    const registry = new EtcdRegistry(etcdPlaceOf(config));
    const engine = new HttpEngine(config.docker);
    let rules: Promise<Rules> | undefined;
    const context: Context = {
      ...{
        registry,
        engine,
        edge: edgeAt(edge),
        terminal,
        signal,
        wait: delay,
        now: () => Date.now(),
      },
      rules: () =>
        rules ??= selfOf(engine, config, hostname()).then((self) => rulesOf(config, self)),
    };
    try {
      return await work(context, config);
    } finally {
      registry.close();
    }
  };
  return {
    ls: (services, options) => using((context) => ls(services, options, context)),
    watch: (options) => using((context) => watch(options, context)),
    explain: (name, options) =>
      using((context, { docker }) =>
        explainContainer(name, options, {
          ...context,
          condition: (id) => conditionOf(docker, id),
        })
      ),
    drain: (names, options) => using((context) => drain(names, options, context)),
    undrain: (names, options) => using((context) => undrain(names, options, context)),
    doctor: (options) =>
      using((context, config) => {
        const { tls } = etcdPlaceOf(config);
        return doctor(options, {
          ...context,
          heartbeat,
          certificate: tls && (() => validUntil(tls)),
          ask: (question) => askNginx(options.nginx, question),
        });
      }),
    write: terminal.write,
  };
}
