// A Docker engine of its own beside the one that the tests use, so that one can be restarted. Owns no instance.
// Its containers stand in a network of the first engine: same bridge, same addresses, another end of the range.
import { existsSync } from "node:fs";
import { docker, eventually, run } from "../testing/docker.ts";
import type { Fault } from "./fault_run.ts";
import { MADE_BY_COMPOSE, type Stack } from "./stack.ts";
import { World } from "./world.ts";

/** Whether a second engine can be had here; under CI it has to be. */
export async function hasSecondEngine(): Promise<boolean> {
  if (Deno.env.get("CI") === "true") return true;
  return Deno.uid() === 0 && await run("dockerd", ["--version"]).then(() => true, () => false);
}

/** A second dockerd. Needs root; `end` it whatever happens. */
export class SecondEngine {
  private readonly folder: string;
  private process: Deno.ChildProcess | undefined;
  /** Its default bridge, which nothing uses. */
  private readonly bridge = `rollcall${crypto.randomUUID().slice(0, 6)}`;

  constructor() {
    // Not the usual folder for temporary files: it may be a tmpfs, on which overlay2 does not work.
    this.folder = Deno.makeTempDirSync({ dir: "/var/lib", prefix: "rollcall-engine-" });
  }

  /** Where it listens: for socket-proxy. */
  get socket(): string {
    return `${this.folder}/docker.sock`;
  }

  /** Runs the Docker client against it. */
  readonly docker = (...args: readonly string[]): Promise<string> =>
    docker("--host", `unix://${this.socket}`, ...args);

  /** Starts it, and waits until it answers. Containers live on while it is away. */
  async start(): Promise<void> {
    const { folder } = this;
    await Deno.writeTextFile(`${folder}/daemon.json`, "{}");
    await run("ip", ["link", "add", "name", this.bridge, "type", "bridge"]).catch(() => {}); // there already
    // An address of its own choice might be one that the first engine gives to its next network.
    await run("ip", ["address", "replace", "169.254.213.1/28", "dev", this.bridge]);
    const args = [
      ...["--config-file", `${folder}/daemon.json`, "--data-root", `${folder}/data`],
      ...["--exec-root", `${folder}/exec`, "--pidfile", `${folder}/pid`],
      ...["--host", `unix://${this.socket}`, "--live-restore", "--log-level", "error"],
      // The first engine's bridges and its rules for packets are not to be touched. Not --bridge=none: a dockerd
      // that is started with it removes docker0, which is the first engine's.
      ...["--bridge", this.bridge, "--iptables=false", "--ip-forward=false"],
    ];
    this.process = new Deno.Command("sh", {
      args: ["-c", `exec dockerd "$@" 2>>"${folder}/log"`, "dockerd", ...args],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    try {
      await eventually(() => this.docker("version"), { within: 30_000, every: 100 });
    } catch (cause) {
      const log = await Deno.readTextFile(`${folder}/log`).catch(() => "");
      throw new Error(`Cannot start a second dockerd:\n${log.slice(-2_000)}`, { cause });
    }
  }

  /** Ends it, as an update does; its containers go on. */
  async stop(): Promise<void> {
    this.process?.kill("SIGTERM");
    await this.process?.status;
    this.process = undefined;
  }

  /** Gives it an image of the first engine. */
  async load(image: string): Promise<void> {
    const file = `${this.folder}/image.tar`;
    await docker("save", "--output", file, image);
    await this.docker("load", "--input", file);
    await Deno.remove(file);
  }

  /** Makes a network of the first engine its own, under the same name. */
  async join(network: string): Promise<void> {
    const format = "{{.Id}} {{(index .IPAM.Config 0).Subnet}} {{(index .IPAM.Config 0).Gateway}}";
    const text = await docker("network", "inspect", "--format", format, network);
    const [id = "", subnet = "", gateway = ""] = text.trim().split(" ");
    const [a, b, c] = subnet.split(".");
    // The first engine gives addresses from the start of the range.
    const range = subnet.endsWith("/16") ? `${a}.${b}.128.0/24` : `${a}.${b}.${c}.192/28`;
    await this.docker(
      ...["network", "create", "--subnet", subnet, "--gateway", gateway, "--ip-range", range],
      ...["--opt", `com.docker.network.bridge.name=br-${id.slice(0, 12)}`, network],
    );
  }

  /** Removes its containers, its networks, itself, and everything it has written. */
  async end(): Promise<void> {
    if (this.process) {
      const ids = (await this.docker("ps", "--all", "--quiet")).split("\n").filter((id) => id);
      if (ids.length > 0) await this.docker("rm", "--force", ...ids);
      await this.docker("network", "prune", "--force"); // its own: it has no others
      await this.stop();
    }
    await run("ip", ["link", "delete", this.bridge]).catch(() => {});
    // dockerd mounts its data folder on itself.
    await run("umount", [`${this.folder}/data`]).catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Lets the instances of a stack run on the second engine from now on, and its registrator follow that one. */
export async function moveTo(engine: SecondEngine, stack: Stack, count: number): Promise<World> {
  await engine.start();
  await Promise.all([
    stack.compose("stop", "service"),
    engine.load(`${stack.project}-service`),
    engine.join(`${stack.project}_edge`),
  ]);
  for (let i = 1; i <= count; i++) {
    await engine.docker(
      ...["run", "--detach", "--init", "--name", `${stack.project}-second-${i}`],
      ...["--network", `${stack.project}_edge`, "--env", "DRAIN_SECONDS=1"],
      ...["--label", `com.docker.compose.project=${stack.project}`],
      ...["--label", "com.docker.compose.service=service", "--label", "SERVICE_CHECK_HTTP=/readyz"],
      ...["--label", `${MADE_BY_COMPOSE}=${i}`],
      `${stack.project}-service`,
    );
  }
  stack.set({ DOCKER_SOCKET: engine.socket });
  await stack.compose("up", "-d", "--no-deps", "--no-build", "socket-proxy");
  return new World(stack, engine.docker);
}

/** dockerd restarted under running instances, one of which dies meanwhile. For a world that has moved to `engine`. */
export function dockerdRestarted(engine: SecondEngine): Fault {
  let victim = "";
  return {
    name: "dockerd restarted, an instance SIGKILLed meanwhile",
    act: async (world) => {
      const [first] = await world.running();
      victim = (await engine.docker("inspect", "--format", "{{.State.Pid}}", first!.id)).trim();
      await engine.stop();
    },
    change: async (world) => {
      const killed = Date.now(); // at the earliest: the command has to start first
      await run("kill", ["-KILL", victim]);
      // It is the first process of its container: the kernel ends the others after it, and then this one is gone.
      await eventually(() => {
        if (existsSync(`/proc/${victim}`)) throw new Error(`process ${victim} is still there`);
      }, { every: 2 });
      world.killedUnseen.push({ id: victim, killed, died: Date.now() });
    },
    heal: async (world) => {
      await engine.start();
      // Here the first engine goes on and may have found the socket gone just now: it cannot in real life.
      await docker("start", world.stack.name("socket-proxy"));
    },
  };
}
