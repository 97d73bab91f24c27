// Machines on one machine: each a dockerd in a network namespace with an address of its own, on one wire. Owns no container.
import { docker, eventually, run } from "../testing/docker.ts";

/** A file that Compose merges with the others of a project, and the settings beside it. */
export interface Project {
  readonly name: string;
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const ROOT = new URL("../..", import.meta.url).pathname;

/** The wire between hosts, and this machine's own end of it. Needs root. */
export class Wire {
  private readonly id = crypto.randomUUID().slice(0, 6);
  /** Set aside for tests of networks (RFC 2544): nobody else's. */
  private readonly net = `198.18.${crypto.getRandomValues(new Uint8Array(1))[0]}`;
  private readonly hosts: Host[] = [];

  /** A bridge in a namespace of its own: in this machine's, the first engine's rules for packets would drop what it bridges. */
  async open(): Promise<void> {
    await ip("netns", "add", this.namespace("wire"));
    await this.inWire("link", "add", "wire", "type", "bridge");
    await this.inWire("link", "set", "wire", "up");
    await ip("link", "add", this.name("t"), "type", "veth", "peer", "name", "own");
    await ip("link", "set", "own", "netns", this.namespace("wire"));
    await this.inWire("link", "set", "own", "master", "wire", "up");
    await ip("address", "add", `${this.net}.1/24`, "dev", this.name("t"));
    await ip("link", "set", this.name("t"), "up");
  }

  /** A host on it, whose dockerd answers. */
  async host(name: string): Promise<Host> {
    const [namespace, end] = [this.namespace(name), this.name(name)];
    const address = `${this.net}.${10 + this.hosts.length}`;
    await ip("netns", "add", namespace);
    await ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    await ip("link", "set", end, "netns", this.namespace("wire"));
    await this.inWire("link", "set", end, "master", "wire", "up");
    await ip("-n", namespace, "link", "set", "lo", "up");
    await ip("-n", namespace, "address", "add", `${address}/24`, "dev", "eth0");
    await ip("-n", namespace, "link", "set", "eth0", "up");
    const host = new Host(
      name,
      namespace,
      address,
      (state) => this.inWire("link", "set", end, state),
    );
    this.hosts.push(host);
    await host.start();
    return host;
  }

  /** Removes the hosts, what ran on them, and the wire. */
  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.end()));
    await ip("link", "delete", this.name("t")).catch(() => {});
    await ip("netns", "delete", this.namespace("wire")).catch(() => {});
  }

  private name(part: string): string {
    return `rc${this.id}${part}`.slice(0, 15);
  }

  private namespace(part: string): string {
    return `rollcall-${this.id}-${part}`;
  }

  private inWire(...args: string[]): Promise<string> {
    return ip("-n", this.namespace("wire"), ...args);
  }
}

/** One machine. */
export class Host {
  private readonly folder: string;
  private process: Deno.ChildProcess | undefined;

  constructor(
    readonly name: string,
    private readonly namespace: string,
    readonly address: string,
    private readonly link: (state: "up" | "down") => Promise<string>,
  ) {
    // Not the usual folder for temporary files: it may be a tmpfs, on which overlay2 does not work.
    this.folder = Deno.makeTempDirSync({ dir: "/var/lib", prefix: `rollcall-host-${name}-` });
  }

  /** Where its dockerd listens. */
  get socket(): string {
    return `${this.folder}/docker.sock`;
  }

  /** Runs the Docker client against it. */
  readonly docker = (...args: readonly string[]): Promise<string> =>
    docker("--host", `unix://${this.socket}`, ...args);

  /** `docker compose` on it, with its address in ROLLCALL_IP. Nothing can be built here: it has no way out. */
  compose({ name, files, env }: Project, ...args: readonly string[]): Promise<string> {
    const own = { DOCKER_HOST: `unix://${this.socket}`, DOCKER_SOCKET: this.socket };
    const set = { ROLLCALL_HOST: `host-${this.name}`, ROLLCALL_IP: this.address };
    return run("docker", ["compose", "-p", name, ...files.flatMap((f) => ["-f", f]), ...args], {
      cwd: ROOT,
      env: { ...own, ...set, ...env },
    });
  }

  /** `docker stack deploy` on it, as a manager of a swarm. Images are there: no registry is asked. */
  deploy(stack: string, file: string, env: Readonly<Record<string, string>>): Promise<string> {
    const args = ["stack", "deploy", "--resolve-image", "never", "-c", file, stack];
    return run("docker", ["--host", `unix://${this.socket}`, ...args], {
      cwd: ROOT,
      env: { ...env },
    });
  }

  /** Gives it images of the first engine. */
  async load(file: string): Promise<void> {
    await this.docker("load", "--quiet", "--input", file);
  }

  /** Starts its dockerd, in its own namespace: bridges and rules for packets are its own. */
  async start(): Promise<void> {
    const { folder } = this;
    await Deno.writeTextFile(`${folder}/daemon.json`, "{}");
    await Deno.remove(`${folder}/pid`).catch(() => {}); // of one that was killed
    const args = [
      ...["--config-file", `${folder}/daemon.json`, "--data-root", `${folder}/data`],
      ...["--exec-root", `${folder}/exec`, "--pidfile", `${folder}/pid`],
      ...["--host", `unix://${this.socket}`, "--log-level", "error"],
    ];
    this.process = new Deno.Command("nsenter", {
      // Not `ip netns exec`: it mounts /sys anew, without the control groups.
      args: [
        ...[`--net=/run/netns/${this.namespace}`, "unshare", "--uts", "sh", "-c"],
        `hostname "host-${this.name}"; exec dockerd "$@" 2>>"$0/log"`,
        ...[folder, ...args],
      ],
      ...{ stdin: "null", stdout: "null", stderr: "inherit" },
    }).spawn();
    try {
      await eventually(() => this.docker("version"), { within: 60_000, every: 100 });
    } catch (cause) {
      const log = await Deno.readTextFile(`${folder}/log`).catch(() => "");
      throw new Error(`Cannot start the dockerd of host ${this.name}:\n${log.slice(-2_000)}`, {
        cause,
      });
    }
  }

  /** It is gone from one moment to the next: off the wire, and everything that ran on it is dead. */
  async vanish(): Promise<void> {
    const pids = await this.pids();
    await this.link("down");
    await this.killDaemon();
    for (const pid of pids) killIfThere(pid);
  }

  /** It is switched on again; what restarts by itself does. */
  async comeBack(): Promise<void> {
    await this.link("up");
    await this.start();
  }

  /** Its containers get no answer from there any more, nor a refusal. */
  cutOff(address: string, port: number): Promise<string> {
    return this.rule("-I", address, port);
  }

  /** They do again. */
  mend(address: string, port: number): Promise<string> {
    return this.rule("-D", address, port);
  }

  /** Removes it and everything on it. */
  async end(): Promise<void> {
    if (this.process) {
      const ids = (await this.docker("ps", "--all", "--quiet").catch(() => "")).split("\n");
      const there = ids.filter((id) => id !== "");
      if (there.length > 0) await this.docker("rm", "--force", ...there).catch(() => {});
      this.process.kill("SIGTERM");
      await this.process.status;
    }
    const mounts = (await Deno.readTextFile("/proc/mounts")).split("\n")
      .map((line) => line.split(" ")[1] ?? "").filter((path) => path.startsWith(`${this.folder}/`));
    for (const path of mounts.sort().reverse()) await run("umount", [path]).catch(() => {});
    await ip("netns", "delete", this.namespace).catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }

  private rule(what: "-I" | "-D", address: string, port: number): Promise<string> {
    const match = ["-d", address, "-p", "tcp", "--dport", String(port), "-j", "DROP"];
    return run("nsenter", [
      ...[
        `--net=/run/netns/${this.namespace}`,
        "iptables",
        "--wait",
        what,
        "DOCKER-USER",
        ...match,
      ],
    ]);
  }

  /** The first processes of its containers. */
  private async pids(): Promise<readonly number[]> {
    const ids = (await this.docker("ps", "--quiet")).split("\n").filter((id) => id !== "");
    if (ids.length === 0) return [];
    const text = await this.docker("inspect", "--format", "{{.State.Pid}}", ...ids);
    return text.trim().split("\n").map(Number);
  }

  private async killDaemon(): Promise<void> {
    const containerd = Number(
      await Deno.readTextFile(`${this.folder}/exec/containerd/containerd.pid`).catch(() => "0"),
    );
    this.process?.kill("SIGKILL");
    await this.process?.status;
    this.process = undefined;
    if (containerd > 0) killIfThere(containerd);
  }
}

function killIfThere(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function ip(...args: readonly string[]): Promise<string> {
  return run("ip", args);
}
