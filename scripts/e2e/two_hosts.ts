// Two hosts under load: A has etcd and nginx, both have a registrator and instances. Brings what can happen to B. Asserts nothing.
import { accountFor, failed, type Failure } from "../bench/measure/account.ts";
import { Load } from "../bench/load/load.ts";
import { decodeRegistration } from "../../discovery/registration.ts";
import { HOSTS, SERVICES } from "../../discovery/keys.ts";
import { testImage } from "../../discovery/test_image.ts";
import { docker, eventually, freePort, run } from "../testing/docker.ts";
import { Certificates } from "./certificates.ts";
import { type Host, type Project, Wire } from "./hosts.ts";
import { Stack } from "./stack.ts";

/** How long keys outlive their registrator here, in s. */
export const TTL = 6;
/** The same where one host waits for the other: longer than that takes on a busy machine. */
const WAITING_TTL = 20;
/** How many instances each host runs. */
export const EACH = 2;
const RATE = 150;
/** A fifth are POSTs, which nobody tries again once they were sent. */
const POSTS = 0.2;
/** Where nginx answers in scripts/e2e/swarm/stack.yaml. */
const SWARM_PORT = 8080;
const ETCD_PORT = 2379;
/** How long the hosts may take for anything, in ms: generous, as the machine may be busy. */
const PATIENCE = 90_000;

/** How nginx gives up a host that has vanished (docs/hosts.md). Undefined: the compose files' own. */
export interface GivingUp {
  readonly TCP_RETRIES2?: string;
  readonly RETRY_TIMEOUT?: string;
}

/** What something cost that happened to the hosts. */
export interface Outcome {
  readonly name: string;
  readonly sent: Readonly<Record<"GET" | "POST", number>>;
  readonly failed: Readonly<Record<"GET" | "POST", number>>;
  readonly failures: readonly Failure[];
  /** What nginx said meanwhile of requests that failed, the first lines. */
  readonly said: readonly string[];
  /** By what has been waited for, how long it took, in s. */
  readonly seconds: Readonly<Record<string, number>>;
  /** The fewest instances that nginx served meanwhile. */
  readonly fewest: number;
}

/** An nginx of the two hosts. */
interface Edge {
  readonly host: Host;
  readonly port: number;
  /** The name of its container, whole or its beginning. */
  readonly container: string;
}

/** The two hosts, from images that were built on the first engine. */
export class TwoHosts {
  private readonly wire = new Wire();
  /** On the first engine: only to build. */
  private readonly stack = new Stack();
  private readonly secure = new Stack({ COMPOSE_FILE: "compose.yaml:compose.secure.yaml" });
  private readonly certificates = new Certificates(this.wire.folder);
  /** What B has of them. */
  private readonly copied = `${this.wire.folder}/certs`;
  private readonly port = freePort();
  private ttl = TTL;
  private a!: Host;
  private b!: Host;

  constructor(private readonly givingUp: GivingUp = { TCP_RETRIES2: "2", RETRY_TIMEOUT: "10s" }) {}

  /** Builds, starts everything, and waits until all instances are served. */
  async open(): Promise<void> {
    await this.wire.open();
    [this.a, this.b] = [await this.wire.host("a"), await this.wire.host("b")];
    const { a, b } = this;
    await this.build();
    const scale = ["--scale", `service=${EACH}`];
    const parts = ["nginx", "etcd", "registrator", "socket-proxy"];
    await Promise.all([
      a.compose(this.first(), "up", "-d", "--no-build", ...parts),
      b.compose(this.further(), "up", "-d", "--no-build"),
      a.compose(this.instances(), "up", "-d", ...scale),
      b.compose(this.instances(), "up", "-d", ...scale),
    ]);
    await this.registered({ a: EACH, b: EACH });
    await this.served(2 * EACH);
  }

  /** Removes everything, as much of it as there is. */
  close(): Promise<void> {
    return this.wire.close();
  }

  /** B is gone from one moment to the next. Its instances leave when its lease ends. */
  vanished(): Promise<Outcome> {
    return this.under("a host vanishes", async (took) => {
      await took(
        "its instances out of etcd",
        () => this.b.vanish(),
        () => this.registered({ a: EACH, b: 0 }),
      );
      await took("out of nginx", () => {}, () => this.served(EACH));
    });
  }

  /** It is switched on again. */
  cameBack(): Promise<Outcome> {
    return this.under(
      "it comes back",
      (took) => took("its instances served", () => this.b.start(), () => this.served(2 * EACH)),
    );
  }

  /** B's registrator cannot reach etcd for longer than its lease; its instances answer all along. */
  partitioned(): Promise<Outcome> {
    return this.under("a host is cut off from etcd, and mended", async (took) => {
      // Rules of its namespace hold for what its containers send.
      await took(
        "its instances out of etcd",
        () => this.b.cutOff(this.a.address, ETCD_PORT),
        () => this.registered({ a: EACH, b: 0 }),
      );
      await took("out of nginx", () => {}, () => this.served(EACH));
      await took(
        "mended: served",
        () => this.b.mend(this.a.address, ETCD_PORT),
        () => this.served(2 * EACH),
      );
    });
  }

  /**
   * An etcd with nothing in it, at the same address; and B reaches it later than A, and than nginx, so that all could
   * believe that B has no instances.
   */
  async wiped(): Promise<Outcome> {
    const { a, b, stack } = this;
    this.ttl = WAITING_TTL;
    const again = ["up", "-d", "--no-build", "--no-deps", "registrator"];
    await Promise.all([a.compose(this.first(), ...again), b.compose(this.further(), ...again)]);
    await Promise.all([a, b].map((host) =>
      this.until(
        async () => (await this.said(host)).includes('"event":"vouching"'),
        `host ${host.name} vouches again`,
      )
    ));
    return await this.under("etcd is wiped, and a host sees it later", async (took) => {
      await took("the first host registered", async () => {
        await b.cutOff(a.address, ETCD_PORT);
        await a.docker("rm", "--force", stack.name("etcd"));
        await a.docker("volume", "rm", `${stack.project}_etcd`);
        await a.compose(this.first(), "up", "-d", "--no-build", "--no-deps", "etcd");
      }, () => this.registered({ a: EACH, b: 0 }));
      const before = await this.lookedAt();
      await took(
        "nginx's look",
        () => {},
        () => this.until(async () => await this.lookedAt() !== before, "nginx looks at etcd"),
      );
      await took("the other mended: all vouch", () => b.mend(a.address, ETCD_PORT), async () => {
        await this.registered({ a: EACH, b: EACH });
        await this.vouched(["host-a", "host-b"]);
      });
    });
  }

  /** B has an nginx as well, fed by the same etcd. Resolves when it serves the instances of both. */
  async secondEdge(): Promise<void> {
    await this.b.compose(this.further(), "--profile", "edge", "up", "-d", "--no-build");
    await this.served(2 * EACH, { ...this.edge, host: this.b });
  }

  /** A's etcd wants certificates from now on, and B has none yet. Resolves when A's instances alone are registered. */
  async secured(): Promise<void> {
    const { a, stack } = this;
    await this.certificates.make("--name", a.address);
    await a.docker("tag", `${this.secure.project}-etcd`, `${stack.project}-etcd`);
    const parts = ["nginx", "etcd", "registrator", "socket-proxy"];
    await a.compose(this.first("compose.secure.yaml"), "up", "-d", "--no-build", ...parts);
    await this.registered({ a: EACH, b: 0 });
    await this.vouched(["host-a"]);
  }

  /** What B gets of A's etcd, asked by its address: the status of an answer. Throws with curl's words where there is none. */
  async asked(certificate: boolean): Promise<string> {
    await this.copy();
    const tls = ["--cacert", "/tls/ca.crt", ...(certificate ? ["--cert", "/tls/client.pem"] : [])];
    const curl = ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", ...tls];
    return await this.b.docker(
      ...["run", "--rm", "--user", "0:0", "--label", "SERVICE_IGNORE=true", "--entrypoint", "curl"],
      ...["--volume", `${this.copied}/registrator:/tls:ro`, this.images.base, ...curl],
      `https://${this.a.address}:${ETCD_PORT}/version`,
    );
  }

  /** What a host's registrator has said since it was made; B's, where none is given. */
  said(host = this.b): Promise<string> {
    return host.docker("logs", this.stack.name("registrator"));
  }

  /** B gets certificates. Resolves when the instances of both are served. */
  async certified(): Promise<void> {
    await this.copy();
    const project = this.further("compose.host.secure.yaml");
    await this.b.compose(project, "--profile", "edge", "up", "-d", "--no-build");
    await this.registered({ a: EACH, b: EACH });
    await this.vouched(["host-a", "host-b"]);
    await this.served(2 * EACH);
    await this.served(2 * EACH, { ...this.edge, host: this.b });
  }

  /**
   * Clears both hosts and makes a swarm of them, with the example's stack, and in a stack of its own a service with as
   * many tasks on each.
   */
  async swarm(): Promise<void> {
    const { a, b, images } = this;
    await Promise.all([a, b].map(clear));
    await a.docker("swarm", "init", "--advertise-addr", a.address);
    const token = (await a.docker("swarm", "join-token", "--quiet", "worker")).trim();
    await b.docker("swarm", "join", "--token", token, `${a.address}:2377`);
    await a.deploy("rollcall", "scripts/e2e/swarm/stack.yaml", {
      ...{ NGINX_EDGE_IMAGE: images.nginx, ETCD_SERVICE_IMAGE: images.etcd },
      ...{ REGISTRATOR_IMAGE: images.registrator, NGINX_IMAGE: images.base },
      ...{ DEFAULT_SERVICE: "web", ROLLCALL_TTL: String(TTL), ...this.givingUp },
    });
    const env = {
      SERVICE_IMAGE: images.service,
      REPLICAS: String(2 * EACH),
      EACH: String(EACH),
    };
    await a.deploy("shop", "scripts/e2e/two_hosts.stack.yaml", env);
    await this.served(2 * EACH, this.swarmEdge);
  }

  /** The service and the node of each instance that stands in the swarm's etcd, in order. */
  async tasks(): Promise<readonly string[]> {
    const found = [];
    for (const [key, value] of await this.keys(SERVICES, "rollcall_etcd")) {
      found.push(`${key.split("/")[2]} on ${decodeRegistration(key, value)?.host}`);
    }
    return found.sort();
  }

  /** Half of the tasks leave, and others come. */
  scaled(): Promise<Outcome> {
    const scale = (count: number) => () =>
      this.a.docker("service", "scale", "--detach", `shop_web=${count}`);
    return this.under("a service of a swarm is scaled to a half and back", async (took) => {
      await took("half served", scale(EACH), () => this.served(EACH, this.swarmEdge));
      await took("all served", scale(2 * EACH), () => this.served(2 * EACH, this.swarmEdge));
    }, this.swarmEdge);
  }

  /** The node that is no manager is gone from one moment to the next. */
  nodeVanished(): Promise<Outcome> {
    return this.under(
      "a node of a swarm vanishes",
      (took) =>
        took(
          "its tasks out of nginx",
          () => this.b.vanish(),
          () => this.served(EACH, this.swarmEdge),
        ),
      this.swarmEdge,
    );
  }

  /** How the parts of both ways look, for whoever has to find out why something failed. */
  async words(): Promise<string> {
    const words: string[] = [];
    for (const host of [this.a, this.b]) {
      if (!host) continue;
      const names = await host.docker("ps", "--all", "--format", "{{.Names}}").catch(() => "");
      for (const name of names.split("\n").filter((name) => name !== "")) {
        const log = await both(["--host", `unix://${host.socket}`, "logs", "--tail", "500", name]);
        const lines = log.split("\n").filter((line) => !line.includes('"event":"request"'));
        words.push(`--- host-${host.name}: ${name}`, ...lines.slice(-30));
      }
    }
    return words.join("\n");
  }

  private get images(): Readonly<
    Record<"nginx" | "etcd" | "registrator" | "service" | "base", string>
  > {
    const image = (part: string) => `${this.stack.project}-${part}`;
    return {
      ...{ nginx: image("nginx"), etcd: image("etcd") },
      ...{ registrator: image("registrator"), service: image("service") },
      base: testImage("NGINX_IMAGE", "nginx:1.30"),
    };
  }

  private get edge(): Edge {
    return { host: this.a, port: this.port, container: this.stack.name("nginx") };
  }

  private get swarmEdge(): Edge {
    return { host: this.a, port: SWARM_PORT, container: "rollcall_nginx" };
  }

  /** What the compose files of both hosts are told. */
  private get env(): Readonly<Record<string, string>> {
    const { images } = this;
    return {
      ...{
        ROLLCALL_TTL: String(this.ttl),
        ROLLCALL_INTERNAL: "false",
        HTTP_PORT: String(this.port),
      },
      ...{ ETCD_ADDRESS: this.a.address, ROLLCALL_ETCD: `http://${this.a.address}:${ETCD_PORT}` },
      ...{ REGISTRATOR_IMAGE: images.registrator, NGINX_EDGE_IMAGE: images.nginx },
      ...{ SERVICE_IMAGE: images.service, ...this.givingUp },
    };
  }

  private first(...overlays: readonly string[]): Project {
    const files = ["compose.yaml", ...overlays, "compose.published-etcd.yaml"];
    const env = { ...this.env, CERTS_DIR: this.certificates.folder };
    return { name: this.stack.project, files, env };
  }

  private further(...overlays: readonly string[]): Project {
    const secure = { ROLLCALL_ETCD: `https://etcd:${ETCD_PORT}`, CERTS_DIR: this.copied };
    const env = { ...this.env, ...(overlays.length > 0 && secure) };
    return { name: this.stack.project, files: ["compose.host.yaml", ...overlays], env };
  }

  private instances(): Project {
    const files = ["scripts/e2e/two_hosts.compose.yaml"];
    return { name: `${this.stack.project}-own`, files, env: this.env };
  }

  /** The first engine builds the images, and keeps none of them. */
  private async build(): Promise<void> {
    const { a, b, images, stack, secure, wire: { folder } } = this;
    const secured = `${secure.project}-etcd`;
    try {
      await stack.compose("build", "nginx", "etcd", "registrator", "service");
      await secure.compose("build", "etcd");
      const { etcd, ...both } = images;
      await docker("save", "--output", `${folder}/both.tar`, ...Object.values(both));
      await docker("save", "--output", `${folder}/a.tar`, etcd, secured);
    } finally {
      await stack.down();
      await secure.down();
    }
    await Promise.all([a, b].map((host) => host.load(`${folder}/both.tar`)));
    await a.load(`${folder}/a.tar`);
  }

  /** As somebody would copy there what a further host needs, owners and modes included. */
  private async copy(): Promise<void> {
    await Deno.mkdir(this.copied, { recursive: true });
    const folders = ["registrator", "nginx"].map((part) => `${this.certificates.folder}/${part}`);
    await run("cp", ["-a", ...folders, this.copied]);
  }

  private async under(
    name: string,
    work: (
      took: (what: string, act: () => unknown, done: () => Promise<unknown>) => Promise<void>,
    ) => Promise<void>,
    edge = this.edge,
  ): Promise<Outcome> {
    const load = this.loadOn(edge);
    const since = new Date().toISOString();
    const seconds: Record<string, number> = {};
    try {
      await this.until(() => Promise.resolve(load.seen.size > 0), "the load runs");
      const before = await this.listed(edge);
      await work(async (what, act, done) => {
        const from = performance.now();
        await act();
        await done();
        seconds[what] = (performance.now() - from) / 1000;
      });
      const account = accountFor(await load.stop());
      const { failures, sent } = account;
      const of = (method: "GET" | "POST") => failed(account, { method });
      const log = (await this.log(edge, since)).split("\n");
      return {
        ...{ name, sent, failed: { GET: of("GET"), POST: of("POST") }, failures, seconds },
        said: failures.length === 0 ? [] : log.filter(isOfFailure).slice(0, 10),
        fewest: Math.min(before, ...log.flatMap(liveInstances)),
      };
    } catch (error) {
      load.kill();
      throw error;
    }
  }

  private loadOn({ host, port }: Edge): Load {
    return new Load({
      address: { hostname: host.address, port },
      target: { host: "localhost", getPath: "/", postPath: "/echo", expect: "service" },
      mix: { seed: 1, postShare: POSTS, freshShare: 0.5 },
      ...{ rate: RATE, maxRequests: RATE * 600, connections: 20 },
      ...{ maxUnderWay: 1_000, timeoutMs: 5_000 },
    });
  }

  /** What an nginx has written since then, its errors included. */
  private async log({ host, container }: Edge, since: string): Promise<string> {
    const name = await only(host, container);
    return await both(["--host", `unix://${host.socket}`, "logs", "--since", since, name]);
  }

  /** How many instances the configuration has that nginx has last taken. */
  private async listed({ host, container }: Edge): Promise<number> {
    const file = "/run/rollcall/verified.conf";
    const name = await only(host, container);
    return Number(
      await host.docker("exec", name, "sh", "-c", `grep -c '^ *server [^{]*;' ${file} || true`),
    );
  }

  /** When A's nginx last began to look at etcd for itself, whatever its watch has told. */
  private lookedAt(): Promise<string> {
    const file = "/run/rollcall/sweep/began";
    return this.a.docker("exec", this.edge.container, "stat", "-c", "%y", file);
  }

  private async registered(expected: Readonly<Record<"a" | "b", number>>): Promise<void> {
    await this.until(async () => {
      const found = { a: 0, b: 0 };
      for (const [key, value] of await this.keys(SERVICES)) {
        const host = decodeRegistration(key, value)?.host;
        if (host === "host-a") found.a++;
        if (host === "host-b") found.b++;
      }
      return found.a === expected.a && found.b === expected.b;
    }, `registered ${JSON.stringify(expected)}`);
  }

  private async vouched(hosts: readonly string[]): Promise<void> {
    const expected = hosts.map((host) => `${HOSTS}${host}`).join();
    await this.until(
      async () => [...(await this.keys(HOSTS)).keys()].sort().join() === expected,
      `${hosts} vouch`,
    );
  }

  /** Resolves when nginx has that many instances in its configuration, and that many answer, and no other. */
  private async served(count: number, edge = this.edge): Promise<void> {
    await this.until(async () => {
      if (await this.listed(edge) !== count) return false;
      const seen = new Set<string>();
      for (let i = 0; i < 4 * count; i++) {
        const response = await fetch(`http://${edge.host.address}:${edge.port}/`, {
          headers: { accept: "application/json" },
          signal: AbortSignal.timeout(5_000),
        });
        const text = await response.text();
        if (response.status === 200) seen.add(JSON.parse(text).instance);
      }
      return seen.size === count;
    }, `${count} instances answer`);
  }

  private async keys(
    prefix: string,
    etcd = this.stack.name("etcd"),
  ): Promise<ReadonlyMap<string, string>> {
    const name = await only(this.a, etcd);
    const text = await this.a.docker("exec", name, "etcdctl", "get", "--prefix", prefix);
    const lines = text.split("\n");
    return new Map(
      lines.flatMap((key, i) => i % 2 === 0 && key ? [[key, lines[i + 1] ?? ""]] : []),
    );
  }

  private until(holds: () => Promise<boolean>, what: string): Promise<void> {
    return eventually(async () => {
      if (!await holds()) throw new Error(`not yet: ${what}`);
    }, { within: PATIENCE, every: 100 });
  }
}

/** The only running container whose name begins so. A task of a swarm has its id at the end. */
async function only(host: Host, name: string): Promise<string> {
  const names = await host.docker("ps", "--filter", `name=^${name}`, "--format", "{{.Names}}");
  const found = names.trim();
  if (found === "" || found.includes("\n")) throw new Error(`Cannot find ${name}: ${names}`);
  return found;
}

/** Removes all containers of a host. */
async function clear(host: Host): Promise<void> {
  const ids = (await host.docker("ps", "--all", "--quiet")).split("\n").filter((id) => id !== "");
  await host.docker("rm", "--force", "--volumes", ...ids);
}

/** What the Docker client writes to its standard output and its standard error. */
async function both(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("docker", { args: [...args] }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** The instances of a configuration that went live, from a line of nginx's log. */
function liveInstances(line: string): number[] {
  return line.includes('"event":"live"') ? [Number(JSON.parse(line).instances)] : [];
}

/** Whether a line of nginx's log tells of a request that failed, or why a try did. */
function isOfFailure(line: string): boolean {
  return /"event":"request".*"status":5|\[error\]/.test(line);
}
