// The registrator on real Docker, a real socket-proxy and a real etcd: what twins in memory can only claim.
import assert from "node:assert/strict";
import { docker, dockerTest, eventually, freePort } from "../../scripts/testing/docker.ts";
import { get } from "../../scripts/testing/http.ts";
import { HttpEngine } from "../docker/engine.ts";
import { EtcdContainer } from "../etcd/etcd_container.ts";
import { EtcdRegistry } from "../etcd/etcd_registry.ts";
import { createLog } from "../log.ts";
import { decodeRegistration, decodeStatus } from "../registration.ts";
import { testImage } from "../test_image.ts";
import type { Rules } from "./instances_of.ts";
import { probe } from "./probe.ts";
import { Registrator } from "./registrator.ts";

const NGINX = testImage("NGINX_IMAGE", "nginx:1.30");
const PROXY_CONF = new URL("../docker/socket_proxy.conf", import.meta.url).pathname;
const SOCKET = Deno.env.get("DOCKER_SOCKET") || "/var/run/docker.sock";
const TTL = 6;

/** Containers of our own only: `explicit`, and names that nobody else has. */
class Scene {
  readonly id = `rollcall-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly etcd = new EtcdContainer();
  private readonly proxyPort = freePort();
  readonly proxy = `http://127.0.0.1:${this.proxyPort}`;
  private readonly log: string[] = [];
  private stopping = new AbortController();
  private running = Promise.resolve();

  async open(): Promise<void> {
    await docker("network", "create", "--label", "rollcall.test=discovery", this.id);
    await this.etcd.start();
    await docker(
      ...["run", "--detach", "--name", `${this.id}-proxy`, "--label", "rollcall.test=discovery"],
      ...["--publish", `127.0.0.1:${this.proxyPort}:2375`, "--entrypoint", "nginx"],
      ...["--volume", `${PROXY_CONF}:/etc/nginx/nginx.conf:ro`],
      ...["--volume", `${SOCKET}:/var/run/docker.sock`, NGINX, "-g", "daemon off;"],
    );
    this.start();
  }

  /** A registrator, as main.ts builds it. */
  start(change: Partial<Rules> = {}): void {
    this.stopping = new AbortController();
    const registry = new EtcdRegistry({ endpoints: this.etcd.endpoints });
    const registrator = new Registrator({
      engine: new HttpEngine(this.proxy),
      registry,
      probe,
      host: this.id,
      networks: [this.id],
      explicit: true,
      tags: [],
      ttl: TTL,
      resync: 30_000,
      version: "0.0.0",
      log: createLog("info", (line) => this.log.push(line)),
      ...change,
    });
    this.running = registrator.run(this.stopping.signal).finally(() => registry.close());
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** A container of nginx that is registered as service `name`. */
  async run(
    name: string,
    options: readonly string[] = [],
    command = "exec nginx -g 'daemon off;'",
  ): Promise<void> {
    await docker(
      ...["run", "--detach", "--name", `${this.id}-${name}`, "--label", "rollcall.test=discovery"],
      ...["--label", `SERVICE_80_NAME=${name}`, "--network", this.id, "--stop-signal", "SIGTERM"],
      ...[...options, "--entrypoint", "sh", NGINX, "-c", command],
    );
  }

  docker(command: string, name: string, ...options: readonly string[]): Promise<string> {
    return docker(command, ...options, `${this.id}-${name}`);
  }

  /** Services in rotation. */
  async up(): Promise<readonly string[]> {
    const keys = [...(await this.etcd.registry.list("/services/")).keys()];
    return keys.map((key) => key.split("/")[2]!).sort();
  }

  /** Waits until exactly these services are in rotation; returns how long that took, in ms. */
  async untilUp(names: readonly string[], within = 10_000): Promise<number> {
    const start = performance.now();
    try {
      await eventually(async () => assert.deepEqual(await this.up(), names), { within, every: 10 });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.log.slice(-20).join("\n")}`);
    }
    return performance.now() - start;
  }

  async state(name: string): Promise<string | undefined> {
    const statuses = await this.etcd.registry.list(`/rollcall/status/${this.id}/`);
    return [...statuses.values()].map(({ value }) => decodeStatus(value))
      .find((status) => status?.container === `${this.id}-${name}`)?.state;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.etcd.end();
    const ids = await docker("ps", "--all", "--quiet", "--filter", `name=^/${this.id}-`);
    const all = ids.split("\n").filter((id) => id !== "");
    if (all.length > 0) await docker("rm", "--force", "--volumes", ...all).catch(() => {});
    await docker("network", "rm", this.id).catch(() => {});
  }
}

dockerTest("the registrator on real Docker and real etcd", async (t) => {
  const scene = new Scene();
  try {
    await scene.open();

    await t.step(
      "an instance is in rotation soon after it listens, and out before it has ended",
      async () => {
        await scene.run("web", [], "trap '' TERM; nginx -g 'daemon off;' & sleep 60");
        await scene.untilUp(["web"]);
        await scene.docker("kill", "web", "--signal", "SIGTERM"); // it goes on for a while, as one that drains
        assert.ok(await scene.untilUp([]) < 2_000);
        await eventually(async () => assert.equal(await scene.state("web"), "draining"));
        await scene.docker("rm", "web", "--force");
        await eventually(async () => assert.equal(await scene.state("web"), undefined));
      },
    );

    await t.step(
      "a label `signal`, which Docker writes over the signal of a kill, keeps nobody in rotation",
      async () => {
        await scene.run(
          "odd",
          ["--label", "signal=1"],
          "trap '' TERM; nginx -g 'daemon off;' & sleep 60",
        );
        await scene.untilUp(["odd"]);
        await scene.docker("kill", "odd", "--signal", "SIGTERM");
        assert.ok(await scene.untilUp([]) < 2_000);
        await scene.docker("rm", "odd", "--force");
      },
    );

    await t.step(
      "a paused instance with a HEALTHCHECK leaves, and is back as soon as it goes on",
      async () => {
        const check = ["--health-cmd", "true", "--health-interval", "2s"];
        await scene.run("checked", check);
        await scene.untilUp(["checked"]);
        await scene.docker("pause", "checked");
        await scene.untilUp([]);
        await eventually(async () => assert.equal(await scene.state("checked"), "paused"));
        await scene.docker("unpause", "checked");
        assert.ok(await scene.untilUp(["checked"]) < 2_000);
        await scene.docker("rm", "checked", "--force");
        await scene.untilUp([]);
      },
    );

    await t.step(
      "what happens while socket-proxy is away is put right when it is back, a restart at the same address too",
      async () => {
        const once =
          "test -e /tmp/once && exec sleep 600; touch /tmp/once; exec nginx -g 'daemon off;'";
        await Promise.all([scene.run("gone"), scene.run("again", [], once)]);
        await scene.untilUp(["again", "gone"]);
        await scene.docker("stop", "proxy", "--time", "0");
        await scene.docker("restart", "again", "--time", "0"); // and in this life it never listens
        await scene.docker("rm", "gone", "--force");
        await scene.run("new");
        assert.deepEqual(await scene.up(), ["again", "gone"]); // stale beats partial
        await scene.docker("start", "proxy");
        await scene.untilUp(["new"]);
        await eventually(async () => assert.equal(await scene.state("again"), "starting"));
        await scene.docker("rm", "again", "--force");
        await eventually(async () => assert.equal(await scene.state("again"), undefined));
      },
    );

    await t.step("a restart of the registrator writes nothing", async () => {
      const before = await scene.etcd.registry.list("/");
      await scene.stop();
      scene.start();
      await scene.run("later");
      await scene.untilUp(["later", "new"]);
      const after = await scene.etcd.registry.list("/");
      for (const [key, entry] of before) assert.deepEqual(after.get(key), entry, key);
      await scene.docker("rm", "later", "--force");
      await scene.untilUp(["new"]);
    });

    await t.step(
      "an etcd that was wiped is filled again within a third of the TTL and a little",
      async () => {
        await scene.etcd.remove();
        await scene.etcd.start();
        assert.ok(await scene.untilUp(["new"]) < TTL * 1000 / 3 + 5_000);
        assert.equal((await scene.etcd.registry.list("/rollcall/hosts/")).size, 1);
      },
    );

    await t.step(
      "what happens while etcd is paused is written when it goes on",
      async () => {
        await docker("pause", scene.etcd.name);
        await scene.docker("rm", "new", "--force");
        await scene.run("last");
        await docker("unpause", scene.etcd.name);
        await scene.untilUp(["last"], 20_000);
      },
    );

    await t.step(
      "published ports and network_mode: host are registered at the host's address, and answer there",
      async () => {
        await scene.docker("rm", "last", "--force");
        await scene.stop();
        const self = await new HttpEngine(scene.proxy).inspect(`${scene.id}-proxy`);
        const hostAddress = self!.gateways["bridge"]!; // as main.ts finds it in its own container
        scene.start({ published: true, hostAddress });
        const port = freePort();
        const listen = `events {} http { server { listen ${port}; return 200; } }`;
        await Promise.all([
          scene.run("published", ["--publish", "80"]),
          scene.run("loopback", ["--publish", "127.0.0.1::80"]),
          docker(
            ...["run", "--detach", "--name", `${scene.id}-hosted`, "--network", "host"],
            ...["--label", "rollcall.test=discovery", "--label", `SERVICE_${port}_NAME=hosted`],
            ...["--entrypoint", "sh", NGINX, "-c"],
            `echo '${listen}' > /tmp/conf; exec nginx -c /tmp/conf -g 'daemon off;'`,
          ),
        ]);
        await scene.untilUp(["hosted", "published"]);
        for (const [key, { value }] of await scene.etcd.registry.list("/services/")) {
          const at = decodeRegistration(key, value)!;
          assert.equal(at.address, hostAddress);
          assert.equal((await get(`http://${at.address}:${at.port}/`)).status, 200);
          assert.ok(key.endsWith(key.includes("hosted") ? `:${port}` : ":80"), key);
        }
        // Statuses are written after the keys, and hold none of them up.
        await eventually(async () => assert.equal(await scene.state("loopback"), "rejected"));
        await scene.docker("rm", "published", "--force");
        await scene.untilUp(["hosted"]);
      },
    );
  } finally {
    await scene.close();
  }
});
