// The edge's container for a test, with a real etcd beside it and instances to proxy to. Owns no assertion.
import { docker, eventually, freePort, run } from "../../scripts/testing/docker.ts";
import { type Answer, get } from "../../scripts/testing/http.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** One line of the edge's log. */
export interface Event {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

/** What a registration says, its fields in the order in which Rollcall writes them; \`more\` replaces and adds some. */
export function registration(address: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    address,
    port: 8080,
    protocol: "tcp",
    weight: 1,
    tags: [],
    attrs: {},
    host: "test",
    container: "test-1",
    image: "test",
    routes: [],
    balance: "round_robin",
    since: "2026-11-23T03:00:00.000Z",
    ...more,
  });
}

/** One route, as a registration has it. */
export function route(host: string, path = "/", strip = false): Record<string, unknown> {
  return { host, path, strip };
}

/** An edge, its etcd and its instances: containers, a network and a volume of their own. */
export class Edge implements AsyncDisposable {
  readonly name = `rollcall-test-edge-${crypto.randomUUID().slice(0, 8)}`;
  readonly port = freePort();
  readonly tlsPort = freePort();
  private readonly etcdPort = freePort();
  private instances = 0;

  /** Builds the images as compose.yaml says. Starts nothing. `volume`: options of `docker volume create`. */
  static async build(...volume: readonly string[]): Promise<Edge> {
    const edge = new Edge();
    await run("docker", ["compose", "-p", edge.name, "build", "-q", "nginx", "etcd"], {
      cwd: ROOT,
      // Or Compose 2.40 sometimes refuses to read a CA bundle that lies outside the repository.
      env: { BUILDX_BAKE_ENTITLEMENTS_FS: "0" },
    });
    await docker("network", "create", "--label", edge.name, edge.name);
    await docker("volume", "create", "--label", edge.name, ...volume, edge.name);
    return edge;
  }

  private run(name: string, ...args: readonly string[]): Promise<string> {
    const network = ["--network", this.name, "--network-alias", name];
    return docker(
      ...["run", "-d", "--name", `${this.name}-${name}`, "--label", this.name],
      ...network,
      ...args,
    );
  }

  /** Starts the edge, as hardened as in compose.yaml. `certificates`: a folder, as compose.tls.yaml mounts it. */
  async start(env: Readonly<Record<string, string>> = {}, certificates?: string): Promise<void> {
    const tls = certificates === undefined ? [] : [
      ...["-v", `${certificates}:/etc/rollcall/edge:ro`],
      ...["-p", `127.0.0.1:${this.tlsPort}:8443`],
    ];
    await this.run(
      "edge",
      ...["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
      ...["/run/rollcall", "/tmp", "/var/cache/nginx"].flatMap((path) => ["--tmpfs", path]),
      ...["-v", `${this.name}:/var/lib/rollcall`, "-p", `127.0.0.1:${this.port}:8080`],
      ...tls,
      ...Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      `${this.name}-nginx`,
    );
    await eventually(() => this.get(), { within: 10_000 });
  }

  /** Starts an empty etcd, in memory or `onDisk`, and waits until it answers. `flags`: more for etcd. */
  async startEtcd({ onDisk = false, flags = [] as readonly string[] } = {}): Promise<void> {
    const data = onDisk ? ["-v", "/var/lib/etcd"] : ["--tmpfs", "/tmp:mode=1777"];
    await this.run(
      "etcd",
      ...["-p", `127.0.0.1:${this.etcdPort}:2379`, ...data, `${this.name}-etcd`],
      ...["etcd", `--data-dir=${onDisk ? "/var/lib" : "/tmp"}/etcd`, "--log-level=error"],
      ...["--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://etcd:2379"],
      ...flags,
    );
    await eventually(() => this.etcd("maintenance/status", {}), { within: 15_000 });
  }

  /** Where etcd answers, without Docker's proxy in between, which takes processor time of its own. */
  async etcdUrl(): Promise<string> {
    const format = `{{(index .NetworkSettings.Networks "${this.name}").IPAddress}}`;
    return `http://${(await this.docker("inspect", "etcd", "-f", format)).trim()}:2379`;
  }

  /** Starts an instance that answers with what `nginx` makes of `text`; returns its address. */
  async instance(text: string): Promise<string> {
    const name = `instance-${++this.instances}`;
    const conf = `pid /tmp/pid; events {} http { access_log off; server { listen 8080;
      location / { return 200 '${text}'; } location = /fail { return 444; } } }`;
    await this.run(
      name,
      ...["--tmpfs", "/tmp", "--entrypoint", "bash", "-e", `CONF=${conf}`, `${this.name}-nginx`],
      ...[
        "-c",
        `printf %s "$CONF" > /tmp/conf && exec nginx -e stderr -c /tmp/conf -g 'daemon off;'`,
      ],
    );
    return (await docker(
      ...["inspect", "-f", `{{(index .NetworkSettings.Networks "${this.name}").IPAddress}}`],
      `${this.name}-${name}`,
    )).trim();
  }

  /** Removes one of the containers, at once: "edge", "etcd", "instance-1" … */
  remove(name: string): Promise<string> {
    return docker("rm", "-f", "-v", `${this.name}-${name}`);
  }

  /** `docker <verb> <container>`, for stop, start, kill, inspect … */
  docker(verb: string, name: string, ...args: readonly string[]): Promise<string> {
    return docker(verb, ...args, `${this.name}-${name}`);
  }

  /** Runs a bash script in the edge's container; returns what it printed. */
  exec(script: string): Promise<string> {
    return docker("exec", `${this.name}-edge`, "bash", "-c", script);
  }

  /** The configuration that nginx was last told to load. */
  config(): Promise<string> {
    return this.exec("cat /run/rollcall/nginx.conf");
  }

  /** What nginx has to say against its configuration, besides that it is fine. */
  async warnings(): Promise<readonly string[]> {
    const text = await this.exec("nginx -t -e stderr -c /run/rollcall/nginx.conf 2>&1");
    return text.split("\n").filter((line) =>
      line !== "" && !/ (syntax is ok|test is successful)$/.test(line)
    );
  }

  /** What the edge's scripts have logged, of the events named; all of them when none is named. */
  async events(...names: readonly string[]): Promise<readonly Event[]> {
    const { stderr } = await new Deno.Command("docker", {
      args: ["logs", `${this.name}-edge`],
      stdout: "null",
    }).output();
    const events: Event[] = [];
    for (const line of new TextDecoder().decode(stderr).split("\n")) {
      if (line.startsWith('{"time"')) events.push(JSON.parse(line));
    }
    return names.length === 0 ? events : events.filter(({ event }) => names.includes(event));
  }

  /** One GET on a connection of its own. */
  get(path = "/", headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return get(`http://127.0.0.1:${this.port}${path}`, headers);
  }

  private async etcd(path: string, body: unknown): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.etcdPort}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot ask etcd: status is ${response.status}: ${text}`);
  }

  /** The address of this machine on the network of the containers. */
  async gateway(): Promise<string> {
    const format = "{{(index .IPAM.Config 0).Gateway}}";
    return (await docker("network", "inspect", "-f", format, this.name)).trim();
  }

  /** Writes any number of keys, in transactions of 128. */
  async fill(entries: Readonly<Record<string, string>>): Promise<void> {
    const all = Object.entries(entries);
    for (let i = 0; i < all.length; i += 128) {
      await this.put(Object.fromEntries(all.slice(i, i + 128)));
    }
  }

  /** Writes keys, all of them in one transaction (at most 128). */
  put(entries: Readonly<Record<string, string>>): Promise<void> {
    const success = Object.entries(entries).map(([key, value]) => ({
      requestPut: { key: base64(key), value: base64(value) },
    }));
    return this.etcd("kv/txn", { success });
  }

  /** Deletes a key, or with `prefix` everything that begins with it. */
  delete(key: string, { prefix = false } = {}): Promise<void> {
    const end = key.slice(0, -1) + String.fromCharCode(key.charCodeAt(key.length - 1) + 1);
    return this.etcd("kv/deleterange", {
      key: base64(key),
      ...(prefix && { range_end: base64(end) }),
    });
  }

  /** Waits until everything written before this call is live; `marker` is a word of its own for each call. */
  async settled(marker: string, within = 10_000): Promise<void> {
    await this.put({ [`/services/marker-${marker}/x`]: registration("10.255.255.254") });
    await eventually(async () => {
      const config = await this.config();
      if (!config.includes(`upstream marker-${marker} {`)) throw new Error(`no marker ${marker}`);
      const [generation] = config.match(/[0-9a-f]{64}/)!;
      const live = await this.exec(
        "curl -s --unix-socket /run/rollcall/status.sock x/generation",
      );
      if (live.trim() !== generation) throw new Error(`live is ${live}, not ${generation}`);
    }, { within });
  }

  /** Says that what stands in etcd is complete. */
  vouch(): Promise<void> {
    return this.put({ "/rollcall/hosts/test": "{}" });
  }

  /** Removes everything that it has made. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ids = await docker("ps", "-aq", "--filter", `label=${this.name}`);
    const containers = ids.split("\n").filter((id) => id !== "");
    if (containers.length > 0) await docker("rm", "-f", "-v", ...containers);
    await docker("network", "rm", this.name);
    await docker("volume", "rm", this.name);
    await docker("rmi", `${this.name}-nginx`, `${this.name}-etcd`);
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
