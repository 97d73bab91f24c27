// Machines on one machine: each a dockerd in namespaces of its own, on one wire. Owns no container.
import { docker, eventually, run } from "../testing/docker.ts";

/** A file that Compose merges with the others of a project, and the settings beside it. */
export interface Project {
  readonly name: string;
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const ROOT = new URL("../..", import.meta.url).pathname;
const script = (name: string) => new URL(name, import.meta.url).pathname;
/** Everything that a machine has for itself but its files. A machine's first process is killed with whoever holds it. */
const NAMESPACES = ["--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Why machines cannot be had here; undefined: they can. */
export async function whyNoHosts(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "it needs root";
  try {
    await run("dockerd", ["--version"]);
    await run("iptables", ["--version"]);
    const links = "ip link add wire type bridge && ip link add host-a type veth peer name host-b";
    await run("unshare", [...NAMESPACES, "sh", "-c", `hostname host-a && ${links}`]);
  } catch (error) {
    return (error as Error).message.trim();
  }
}

/** Why the hosts of a swarm cannot reach each other's containers here; undefined: they can. */
export async function whyNoOverlay(): Promise<string | undefined> {
  const vxlan = ["ip", "link", "add", "v", "type", "vxlan", "id", "4097", "dstport", "4789"];
  return await run("unshare", ["--net", ...vxlan]).then(() => undefined, (error) => error.message);
}

/** The wire between hosts, and this machine's own end of it. Needs root. Whatever ends the process removes it all. */
export class Wire {
  private readonly id = crypto.randomUUID().slice(0, 6);
  /** Of everything that runs on the hosts. */
  private readonly group = `rollcall-hosts-${this.id}`;
  /**
   * For everything that is to be removed with the wire, as what hosts write. Not the usual folder for temporary files: it
   * may be a tmpfs, on which overlay2 does not work.
   */
  readonly folder = Deno.makeTempDirSync({ dir: "/var/lib", prefix: `${this.group}-` });
  /** Set aside for tests of networks (RFC 2544): nobody else's. */
  private readonly net = `198.18.${crypto.getRandomValues(new Uint8Array(1))[0]}`;
  private readonly hosts: Host[] = [];
  /** This machine's end. */
  private readonly own = `rollcall${this.id}`;
  private holder: Held | undefined;

  /** A bridge in a namespace of its own: in this machine's, the first engine's rules for packets would drop what it bridges. */
  async open(): Promise<void> {
    this.holder = await hold(["--net"], [script("wire"), this.folder, this.group]);
    await this.ip("link", "add", "wire", "type", "bridge");
    await this.ip("link", "set", "wire", "up");
    const peer = ["peer", "name", "own", "netns", String(this.holder.pid)];
    await run("ip", ["link", "add", this.own, "type", "veth", ...peer]);
    await this.ip("link", "set", "own", "master", "wire", "up");
    await run("ip", ["address", "add", `${this.net}.1/24`, "dev", this.own]);
    await run("ip", ["link", "set", this.own, "up"]);
  }

  /** A host on it, whose dockerd answers. `name` is a letter. */
  async host(name: string): Promise<Host> {
    const number = 10 + this.hosts.length;
    const [folder, end] = [`${this.folder}/${name}`, `host-${name}`];
    await Deno.mkdir(folder);
    const host = new Host(name, `${this.net}.${number}`, folder, `${this.group}/${name}`, {
      // Always the same hardware address: others must not have to forget the one before.
      plug: async (pid) => {
        const mac = `02:00:00:00:00:${number.toString(16)}`;
        const peer = ["peer", "name", "eth0", "address", mac, "netns", String(pid)];
        await this.ip("link", "add", end, "type", "veth", ...peer);
        await this.ip("link", "set", end, "master", "wire", "up");
      },
      pull: () => this.ip("link", "delete", end),
    });
    this.hosts.push(host);
    await host.start();
    return host;
  }

  /** Removes the hosts, what ran on them, and the wire. */
  async close(): Promise<void> {
    const ends = await Promise.allSettled(this.hosts.map((host) => host.end()));
    await run("ip", ["link", "delete", this.own]).catch(() => {}); // else the kernel does, some time later
    if (this.holder) await release(this.holder);
    else await Deno.remove(this.folder, { recursive: true });
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  private ip(...args: readonly string[]): Promise<string> {
    return inside(this.holder!.pid, "ip", ...args);
  }
}

/** The end of a wire at which a host is. */
interface Plug {
  /** Gives the network namespace of a process its end, `eth0`. */
  readonly plug: (pid: number) => Promise<void>;
  /** Nothing gets through any more. */
  readonly pull: () => Promise<unknown>;
}

/** One machine. */
export class Host {
  private held: Held | undefined;

  constructor(
    readonly name: string,
    readonly address: string,
    private readonly folder: string,
    private readonly group: string,
    private readonly wire: Plug,
  ) {}

  /** Where its dockerd listens, for this machine. */
  get socket(): string {
    return `${this.folder}/docker.sock`;
  }

  /** Runs the Docker client against it. */
  readonly docker = (...args: readonly string[]): Promise<string> =>
    docker("--host", `unix://${this.socket}`, ...args);

  /** `docker compose` on it, with its address in ROLLCALL_IP. Nothing can be built here: it has no way out. */
  compose({ name, files, env }: Project, ...args: readonly string[]): Promise<string> {
    const own = { DOCKER_HOST: `unix://${this.socket}`, DOCKER_SOCKET: "/var/run/docker.sock" };
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

  /** Switches it on; resolves when its dockerd answers. Bridges and rules for packets are its own. */
  async start(): Promise<void> {
    const { folder, name } = this;
    await Deno.writeTextFile(`${folder}/daemon.json`, "{}");
    const held = this.held = await hold(NAMESPACES, [script("machine"), name, folder, this.group]);
    await this.wire.plug(held.pid);
    await inside(held.pid, "ip", "address", "add", `${this.address}/24`, "dev", "eth0");
    await inside(held.pid, "ip", "link", "set", "eth0", "up");
    await held.input.write(new TextEncoder().encode("go\n"));
    try {
      await eventually(() => this.docker("version"), { within: 60_000, every: 100 });
    } catch (cause) {
      const log = await Deno.readTextFile(`${folder}/log`).catch(() => "");
      throw new Error(`Cannot start the dockerd of host ${name}:\n${log.slice(-2_000)}`, { cause });
    }
  }

  /** It is gone from one moment to the next: off the wire, so that nobody hears how it dies, and then dead. */
  async vanish(): Promise<void> {
    await this.wire.pull();
    await this.end();
  }

  /** Its containers get no answer from there any more, nor a refusal. */
  cutOff(address: string, port: number): Promise<string> {
    return this.rule("-I", address, port);
  }

  /** They do again. */
  mend(address: string, port: number): Promise<string> {
    return this.rule("-D", address, port);
  }

  /** Switches it off: with the first process of its namespace the kernel kills all others. */
  async end(): Promise<void> {
    const { held } = this;
    this.held = undefined;
    if (held) await release(held);
  }

  private async rule(what: "-I" | "-D", address: string, port: number): Promise<string> {
    const match = ["-d", address, "-p", "tcp", "--dport", String(port), "-j", "DROP"];
    // In its mount namespace too: there is the lock that keeps its dockerd's rules and ours apart.
    const at = ["--target", String(this.held!.pid), "--net", "--mount"];
    return await run("nsenter", [...at, "iptables", "--wait", what, "DOCKER-USER", ...match]);
  }
}

/** A process that holds namespaces until its standard input ends. */
interface Held {
  /** In whose network namespace one is. */
  readonly pid: number;
  readonly process: Deno.ChildProcess;
  readonly input: WritableStreamDefaultWriter<Uint8Array>;
}

/** Starts a script in new namespaces. In a session of its own: Ctrl-C reaches it by the end of its input alone. */
async function hold(namespaces: readonly string[], command: readonly string[]): Promise<Held> {
  const process = new Deno.Command("unshare", {
    args: [...namespaces, ...command],
    clearEnv: true, // no proxy of this machine: there is no way to it
    env: { PATH: Deno.env.get("PATH") ?? "" },
    detached: true,
    ...{ stdin: "piped", stdout: "null", stderr: "inherit" },
  }).spawn();
  const { pid } = process;
  const own = await Deno.readLink("/proc/self/ns/net");
  await eventually(async () => {
    if (await Deno.readLink(`/proc/${pid}/ns/net`) === own) throw new Error("no namespace yet");
  }, { every: 5 });
  return { pid, process, input: process.stdin.getWriter() };
}

/** Ends its input, and waits until all of it is gone. */
async function release({ process, input }: Held): Promise<void> {
  await input.close().catch(() => {}); // it may have ended by itself
  const { success, code } = await process.status;
  if (!success) throw new Error(`Cannot remove hosts: exit code is ${code}`);
}

/** Runs a program in the network namespace of a process. */
function inside(pid: number, ...command: readonly string[]): Promise<string> {
  return run("nsenter", ["--target", String(pid), "--net", ...command]);
}
