// A Rollcall stack of its own for a test: own compose project, free port, removed at the end. Owns no assertion.
import { docker, eventually, freePort, run } from "../testing/docker.ts";
import { type Answer, get } from "../testing/http.ts";
import { Load } from "../bench/load/load.ts";
import type { LoadOptions } from "../bench/load/open_loop.ts";
import type { Mix } from "../bench/load/plan.ts";
import {
  decodeRegistration,
  decodeStatus,
  type Registration,
  type Status,
} from "../../discovery/registration.ts";
import { SERVICES, STATUS } from "../../discovery/keys.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Images have Compose's other labels, too, so that whoever runs one of a stack would count as a part of it. */
export const MADE_BY_COMPOSE = "com.docker.compose.container-number";

/** One compose project, made from the repository's own compose.yaml. */
export class Stack {
  readonly project: string;
  readonly port: number;
  readonly dashboardPort: number;
  readonly url: string;
  /** The compose service that is asked what stands in etcd: of a cluster, one that lives. */
  etcd = "etcd";
  private readonly env: Record<string, string>;

  /**
   * `env`: settings, as in .env; COMPOSE_FILE for other compose files laid over the repository's own. `project`: a name
   * that people see, in pictures; nobody else may have it.
   */
  constructor(env: Readonly<Record<string, string>> = {}, project?: string) {
    this.project = project ?? `rollcall-test-${crypto.randomUUID().slice(0, 8)}`;
    this.port = Number(env.HTTP_PORT ?? freePort());
    this.dashboardPort = Number(env.DASHBOARD_PORT ?? freePort());
    this.url = `http://127.0.0.1:${this.port}`;
    const ports = { HTTP_PORT: String(this.port), DASHBOARD_PORT: String(this.dashboardPort) };
    this.env = { ...ports, ...env };
  }

  /** `docker compose` for this project; throws with Compose's own words when it fails. */
  compose(...args: readonly string[]): Promise<string> {
    return run("docker", ["compose", "-p", this.project, ...args], { cwd: ROOT, env: this.env });
  }

  /** Gives Compose other settings from now on. */
  set(env: Readonly<Record<string, string>>): void {
    Object.assign(this.env, env);
  }

  /** Sets the number of instances; the running ones stay as they are. */
  scale(count: number): Promise<string> {
    return this.compose(
      "up",
      "-d",
      "--no-recreate",
      "--no-build",
      "--scale",
      `service=${count}`,
      "service",
    );
  }

  /** Starts scripts/rollout for this project, in a process group of its own. */
  rollout(...args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command("scripts/rollout", {
      args: ["-p", this.project, ...args],
      ...{ cwd: ROOT, env: this.env, detached: true },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
  }

  /** Ids of the running containers of a compose service, in full. */
  async containers(service = "service"): Promise<readonly string[]> {
    const label = (
      name: string,
      value: string,
    ) => ["--filter", `label=com.docker.compose.${name}=${value}`];
    const ids = await docker(
      ...["ps", "-q", "--no-trunc", "--filter", "status=running"],
      ...["--filter", `label=${MADE_BY_COMPOSE}`],
      ...label("project", this.project),
      ...label("service", service),
    );
    return ids.split("\n").filter((id) => id !== "").sort();
  }

  /** One GET through nginx on a connection of its own. */
  get(path = "/", headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return get(this.url + path, headers);
  }

  /**
   * A load of `rate` requests per second until it is stopped, nothing tried again; resolves when
   * `instances` different ones have answered. GETs on connections of their own, unless `mix` says
   * otherwise. It ends by itself after ten minutes.
   */
  async load(
    rate: number,
    instances = 1,
    mix: Partial<Mix> = {},
    limits: Partial<Pick<LoadOptions, "maxUnderWay" | "timeoutMs" | "maxIdleMs">> = {},
  ): Promise<Load> {
    const load = new Load({
      address: { hostname: "127.0.0.1", port: this.port },
      target: { host: "localhost", getPath: "/", postPath: "/echo", expect: "service" },
      mix: { seed: 1, postShare: 0, freshShare: 1, ...mix },
      rate,
      maxRequests: rate * 600,
      connections: 20,
      maxUnderWay: 500,
      timeoutMs: 5_000,
      ...limits,
    });
    await eventually(() => {
      if (load.seen.size < instances) throw new Error(`only ${load.seen.size} instances answer`);
    }).catch((error) => {
      load.kill();
      throw error;
    });
    return load;
  }

  /** The instances that answer `requests` GETs; throws when one does not answer 200. */
  async answering(requests: number): Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    for (let i = 0; i < requests; i++) {
      const { status, body } = await this.get("/", { accept: "application/json" });
      if (status !== 200) throw new Error(`Cannot GET /: status is ${status}: ${body}`);
      seen.add(JSON.parse(body).instance);
    }
    return seen;
  }

  /** Runs etcdctl in the stack's etcd. */
  etcdctl(...args: readonly string[]): Promise<string> {
    return this.compose("exec", "-T", this.etcd, "etcdctl", ...args);
  }

  /** Keys and values below a prefix, as etcdctl prints them. */
  async keys(prefix: string): Promise<ReadonlyMap<string, string>> {
    return new Map([...await this.entries(prefix)].map(([key, { value }]) => [key, value]));
  }

  /** The same, each with the revision that wrote it: an equal one means that nobody has touched the key. */
  async entries(
    prefix: string,
  ): Promise<ReadonlyMap<string, { readonly value: string; readonly revision: number }>> {
    // Not by Compose, which takes several times as long.
    const get = ["etcdctl", "get", "--prefix", prefix, "-w", "json"];
    const { kvs = [] } = JSON.parse(await docker("exec", this.name(this.etcd), ...get));
    const text = (base64: string) =>
      new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    return new Map(
      kvs.map((kv: { key: string; value?: string; mod_revision: number }) => [
        text(kv.key),
        { value: text(kv.value ?? ""), revision: kv.mod_revision },
      ]),
    );
  }

  /** The name of the only container of a compose service. */
  name(service: string): string {
    return `${this.project}-${service}-1`;
  }

  /** What stands below /services/, by key; malformed values are left out. */
  async registrations(): Promise<ReadonlyMap<string, Registration>> {
    const found = new Map<string, Registration>();
    for (const [key, value] of await this.keys(SERVICES)) {
      const registration = decodeRegistration(key, value);
      if (registration) found.set(key, registration);
    }
    return found;
  }

  /** Every status of a container, by its name. */
  async statuses(container: string): Promise<readonly Status[]> {
    const all = [...(await this.keys(STATUS)).values()].map(decodeStatus);
    return all.filter((status): status is Status => status?.container === container);
  }

  /** When each container was first sent a signal since then, in ms since 1970, by its full id. */
  async killedAt(since: Date): Promise<ReadonlyMap<string, number>> {
    const lines = await docker(
      ...["events", "--since", since.toISOString(), "--until", new Date().toISOString()],
      ...["--filter", "event=kill", "--filter", `label=com.docker.compose.project=${this.project}`],
      ...["--format", "{{.Actor.ID}} {{.TimeNano}}"],
    );
    const killed = new Map<string, number>();
    for (const line of lines.trim().split("\n")) {
      const [id, nano] = line.split(" ");
      if (id && nano && !killed.has(id)) killed.set(id, Number(BigInt(nano) / 1_000_000n));
    }
    return killed;
  }

  /** Removes everything, volumes and images of this project included. */
  async down(): Promise<void> {
    await this.compose(
      "down",
      "--volumes",
      "--remove-orphans",
      "--rmi",
      "local",
      "--timeout",
      "20",
    );
  }

  /** The same at once: nobody waits for instances that drain for long. */
  async discard(): Promise<void> {
    await this.compose("kill").catch(() => {}); // of what never came up there is nothing to kill
    await this.down();
  }

  /** Containers, networks and volumes that Docker still has of this project. */
  async leftovers(): Promise<readonly string[]> {
    const filter = ["--filter", `label=com.docker.compose.project=${this.project}`, "-q"];
    const found = await Promise.all([
      docker("ps", "-a", ...filter),
      docker("network", "ls", ...filter),
      docker("volume", "ls", ...filter),
    ]);
    return found.flatMap((text) => text.split("\n")).filter((line) => line !== "");
  }
}
