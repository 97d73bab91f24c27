// Two hosts under load: A has etcd and nginx, both have a registrator and instances. Brings what can happen to B. Asserts nothing.
import { accountFor, failed, type Failure } from "../bench/measure/account.ts";
import { Load } from "../bench/load/load.ts";
import { decodeRegistration } from "../../discovery/registration.ts";
import { HOSTS, SERVICES } from "../../discovery/keys.ts";
import { testImage } from "../../discovery/test_image.ts";
import { docker, eventually, freePort } from "../testing/docker.ts";
import { type Host, type Project, Wire } from "./hosts.ts";
import { Stack } from "./stack.ts";

/** How long keys outlive their registrator here, in s. */
export const TTL = 6;
/** How many instances each host runs. */
export const EACH = 2;
const RATE = 150;
/** Where nginx answers in scripts/e2e/swarm/stack.yaml. */
const SWARM_PORT = 8080;
/** How long the hosts may take for anything, in ms: generous, as the machine may be busy. */
const PATIENCE = 90_000;

/** What something cost that happened to the hosts. */
export interface Outcome {
  readonly name: string;
  readonly sent: number;
  readonly failed: number;
  readonly failures: readonly Failure[];
  /** By what has been waited for, how long it took, in s. */
  readonly seconds: Readonly<Record<string, number>>;
  /** The fewest instances that nginx served meanwhile; not told of the swarm's. */
  readonly fewest: number | undefined;
}

/** The two hosts, from images that were built on the first engine. */
export class TwoHosts {
  private readonly wire = new Wire();
  /** On the first engine: only to build. */
  private readonly stack = new Stack();
  private readonly projects: Array<readonly [Host, Project]> = [];
  private readonly port = freePort();
  a!: Host;
  b!: Host;

  /** `retries`: TCP_RETRIES2 (docs/hosts.md). */
  constructor(private readonly retries = 2) {}

  /** Builds, starts everything, and waits until all instances are served. */
  async open(): Promise<void> {
    const { stack, wire } = this;
    await stack.compose("build", "nginx", "etcd", "registrator", "service");
    await wire.open();
    [this.a, this.b] = [await wire.host("a"), await wire.host("b")];
    const { a, b } = this;
    const folder = await Deno.makeTempDir();
    try {
      const image = (part: string) => `${stack.project}-${part}`;
      const base = testImage("NGINX_IMAGE", "nginx:1.30");
      await docker(
        "save",
        "--output",
        `${folder}/both`,
        ...["registrator", "service"].map(image),
        base,
      );
      await docker("save", "--output", `${folder}/a`, ...["nginx", "etcd"].map(image));
      await Promise.all([
        a.load(`${folder}/both`),
        b.load(`${folder}/both`),
        a.load(`${folder}/a`),
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    const { project } = stack;
    const env = {
      ...{ ROLLCALL_TTL: String(TTL), HTTP_PORT: String(this.port), ETCD_ADDRESS: a.address },
      ROLLCALL_INTERNAL: "false",
      ...{ TCP_RETRIES2: String(this.retries), RETRY_TIMEOUT: "10s" },
      ROLLCALL_ETCD: `http://${a.address}:2379`,
      REGISTRATOR_IMAGE: `${project}-registrator`,
      SERVICE_IMAGE: `${project}-service`,
    };
    const files = ["compose.yaml", "compose.published-etcd.yaml"];
    const first = { name: project, files, env };
    const further = { name: project, files: ["compose.host.yaml"], env };
    const instances = {
      name: `${project}-own`,
      files: ["scripts/e2e/two_hosts.compose.yaml"],
      env,
    };
    this.projects.push([a, first], [b, further], [a, instances], [b, instances]);
    const scale = ["--scale", `service=${EACH}`];
    await Promise.all([
      a.compose(first, "up", "-d", "--no-build", "nginx", "etcd", "registrator", "socket-proxy"),
      b.compose(further, "up", "-d", "--no-build"),
      a.compose(instances, "up", "-d", ...scale),
      b.compose(instances, "up", "-d", ...scale),
    ]);
    await this.registered({ a: EACH, b: EACH });
    await this.served(2 * EACH);
  }

  /** Removes everything. */
  async close(): Promise<void> {
    for (const [host, project] of this.projects.reverse()) {
      await host.compose(project, "down", "--volumes", "--timeout", "1").catch(() => {});
    }
    await this.wire.close();
    await this.stack.down();
  }

  /** B is gone from one moment to the next. Its instances leave when its lease ends. */
  vanished(): Promise<Outcome> {
    return this.under("host B vanishes", async (took) => {
      await took(
        "instances gone from etcd",
        () => this.b.vanish(),
        () => this.registered({ a: EACH, b: 0 }),
      );
      await took("instances gone from nginx", () => {}, () => this.served(EACH));
    });
  }

  /** It is switched on again. */
  cameBack(): Promise<Outcome> {
    return this.under(
      "host B comes back",
      (took) => took("instances served", () => this.b.comeBack(), () => this.served(2 * EACH)),
    );
  }

  /** B's registrator cannot reach etcd for longer than its lease; its instances answer all along. */
  partitioned(): Promise<Outcome> {
    const [address, port] = [this.a.address, 2379];
    return this.under("host B is cut off from etcd", async (took) => {
      // Rules of its namespace hold for what its containers send.
      await took(
        "instances gone from etcd",
        () => this.b.cutOff(address, port),
        () => this.registered({ a: EACH, b: 0 }),
      );
      await took("instances gone from nginx", () => {}, () => this.served(EACH));
      await took(
        "mended, instances served",
        () => this.b.mend(address, port),
        () => this.served(2 * EACH),
      );
    });
  }

  /** An etcd with nothing in it, at the same address. */
  wiped(): Promise<Outcome> {
    return this.under("etcd is wiped", async (took) => {
      const [, first] = this.projects[0]!;
      await took("all vouch again", async () => {
        await this.a.docker("rm", "--force", this.stack.name("etcd"));
        await this.a.docker("volume", "rm", `${first.name}_etcd`);
        await this.a.compose(first, "up", "-d", "--no-build", "--no-deps", "etcd");
      }, async () => {
        await this.registered({ a: EACH, b: EACH });
        await this.until(async () => (await this.keys(HOSTS)).size === 2, "two vouchers");
      });
    });
  }

  /** Makes a swarm of both, with the example's stack, and in a stack of its own a service with as many tasks on each. */
  async swarm(): Promise<void> {
    const { a, b, stack: { project } } = this;
    await a.docker("swarm", "init", "--advertise-addr", a.address);
    const token = (await a.docker("swarm", "join-token", "--quiet", "worker")).trim();
    await b.docker("swarm", "join", "--token", token, `${a.address}:2377`);
    await a.deploy("rollcall", "scripts/e2e/swarm/stack.yaml", {
      ...{ NGINX_EDGE_IMAGE: `${project}-nginx`, ETCD_SERVICE_IMAGE: `${project}-etcd` },
      ...{ REGISTRATOR_IMAGE: `${project}-registrator`, DEFAULT_SERVICE: "web" },
      NGINX_IMAGE: testImage("NGINX_IMAGE", "nginx:1.30"),
    });
    const env = {
      SERVICE_IMAGE: `${project}-service`,
      REPLICAS: String(2 * EACH),
      EACH: String(EACH),
    };
    await a.deploy("shop", "scripts/e2e/two_hosts.stack.yaml", env);
    await this.served(2 * EACH, SWARM_PORT);
  }

  /** The service and the node of each instance that stands in the swarm's etcd, in order. */
  async tasks(): Promise<readonly string[]> {
    const found = [];
    for (const [key, value] of await this.keys(SERVICES, await this.swarmEtcd())) {
      found.push(`${key.split("/")[2]} on ${decodeRegistration(key, value)?.host}`);
    }
    return found.sort();
  }

  /** Half of the tasks leave. */
  scaledDown(): Promise<Outcome> {
    return this.under("a service of a swarm is scaled to a half", (took) =>
      took(
        "the others served",
        () => this.a.docker("service", "scale", "--detach", `shop_web=${EACH}`),
        () => this.served(EACH, SWARM_PORT),
      ), SWARM_PORT);
  }

  private async swarmEtcd(): Promise<string> {
    return (await this.a.docker("ps", "--quiet", "--filter", "name=rollcall_etcd")).trim();
  }

  private async under(
    name: string,
    work: (
      took: (what: string, act: () => unknown, done: () => Promise<unknown>) => Promise<void>,
    ) => Promise<void>,
    port = this.port,
  ): Promise<Outcome> {
    const load = this.load(port);
    const since = new Date().toISOString();
    const seconds: Record<string, number> = {};
    try {
      await this.until(() => Promise.resolve(load.seen.size > 0), "the load runs");
      await work(async (what, act, done) => {
        const from = performance.now();
        await act();
        await done();
        seconds[what] = (performance.now() - from) / 1000;
      });
      const account = accountFor(await load.stop());
      const fewest = port === this.port
        ? Math.min(2 * EACH, ...await this.servedSince(since))
        : undefined;
      const { failures, sent } = account;
      return {
        name,
        sent: sent.GET + sent.POST,
        failed: failed(account),
        failures,
        seconds,
        fewest,
      };
    } catch (error) {
      load.kill();
      throw error;
    }
  }

  private load(port: number): Load {
    return new Load({
      address: { hostname: this.a.address, port },
      target: { host: "localhost", getPath: "/", postPath: "/echo", expect: "service" },
      mix: { seed: 1, postShare: 0, freshShare: 0.5 },
      ...{
        rate: RATE,
        maxRequests: RATE * 600,
        connections: 20,
        maxUnderWay: 4_000,
        timeoutMs: 20_000,
      },
    });
  }

  /** How many instances each configuration had that nginx took since then. */
  private async servedSince(since: string): Promise<readonly number[]> {
    const log = await this.a.docker("logs", "--since", since, this.stack.name("nginx"));
    return log.split("\n").filter((line) => line.includes('"event":"live"'))
      .map((line) => Number(JSON.parse(line).instances));
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

  /** Resolves when that many different instances answer at nginx, and no other. */
  private async served(count: number, port = this.port): Promise<void> {
    await this.until(async () => {
      const seen = new Set<string>();
      for (let i = 0; i < 4 * count; i++) {
        const response = await fetch(`http://${this.a.address}:${port}/`, {
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
    const text = await this.a.docker("exec", etcd, "etcdctl", "get", "--prefix", prefix);
    const lines = text.split("\n");
    return new Map(
      lines.flatMap((key, i) => i % 2 === 0 && key ? [[key, lines[i + 1] ?? ""]] : []),
    );
  }

  private until(holds: () => Promise<boolean>, what: string): Promise<void> {
    return eventually(async () => {
      if (!await holds()) throw new Error(`not yet: ${what}`);
    }, { within: PATIENCE, every: 50 });
  }
}
