// Docker's recorded replies, turned into nouns.
import assert from "node:assert/strict";
import fc from "fast-check";
import { healthOf, parseContainer, parseList } from "./replies.ts";

const DATA = new URL("./testdata/", import.meta.url);
const recorded = (name: string) => JSON.parse(Deno.readTextFileSync(new URL(name, DATA)));
const container = (name: string) => parseContainer(recorded(`inspect_${name}.json`));

Deno.test("parseContainer() reads a running container: names, ports, labels, environment, signals, networks", () => {
  const { id, startedAt, networks, ...rest } = container("running");
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.equal(startedAt, "2026-11-23T04:12:33.191054495Z");
  assert.deepEqual(networks.map(({ name, address }) => [name, address]), [[
    "shop_edge",
    "172.20.0.2",
  ]]);
  assert.match(networks[0]!.endpoint, /^[0-9a-f]{64}$/);
  assert.deepEqual({ ...rest, env: { ...rest.env } }, {
    name: "shop-web-1",
    image: "nginx:1.30",
    running: true,
    paused: false,
    health: "none",
    labels: {
      SERVICE_TAGS: "blue",
      "com.docker.compose.project": "shop",
      "com.docker.compose.service": "web",
    },
    env: {
      SERVICE_80_CHECK_HTTP: "/readyz",
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    },
    exposed: [{ number: 80, protocol: "tcp" }],
    published: [],
    gateways: { shop_edge: "172.20.0.1" },
    networkMode: "shop_edge",
    stopSignal: 3,
    stopGrace: 20_000,
  });
});

Deno.test("parseContainer() reads HEALTHCHECK's three states, and none", () => {
  const states = ["running", "starting", "healthy", "unhealthy"].map((name) =>
    container(name).health
  );
  assert.deepEqual(states, ["none", "starting", "healthy", "unhealthy"]);
});

Deno.test("parseContainer() does not believe the unhealthy that Docker gives to whatever is paused", () => {
  const reply = recorded("inspect_paused_healthcheck.json");
  assert.equal(reply.State.Health.Status, "unhealthy");
  const { paused, health, running } = parseContainer(reply);
  assert.deepEqual({ paused, health, running }, { paused: true, health: "healthy", running: true });
  reply.State.Health.Log = [];
  assert.equal(parseContainer(reply).health, "starting");
  reply.State.Health.Log = [{ ExitCode: 0 }, { ExitCode: 1 }];
  assert.equal(parseContainer(reply).health, "unhealthy");
  reply.State.Health.FailingStreak = 3;
  reply.State.Health.Log = [{ ExitCode: 0 }];
  assert.equal(parseContainer(reply).health, "unhealthy");
});

Deno.test("parseContainer() takes a crashed container that Docker is about to restart for not running", () => {
  const reply = recorded("inspect_restarting.json");
  assert.equal(reply.State.Running, true);
  assert.equal(parseContainer(reply).running, false);
});

Deno.test("parseContainer() reads networks: two, the host's, another container's", () => {
  const places = (name: string) =>
    container(name).networks.map(({ name, address }) => `${name} ${address}`);
  assert.deepEqual(places("two_networks"), ["bridge 172.17.0.2", "shop_edge 172.20.0.9"]);
  assert.deepEqual(container("two_networks").exposed.map(({ protocol }) => protocol).sort(), [
    "tcp",
    "udp",
  ]);
  assert.deepEqual(places("host_network"), ["host "]);
  assert.equal(container("host_network").networkMode, "host");
  assert.deepEqual(container("container_network").networks, []);
  assert.match(container("container_network").networkMode, /^container:/);
});

Deno.test("parseContainer() reads where ports are published: on IPv4 and on IPv6, which need not have the same number", () => {
  const { published, gateways } = container("published");
  const tcp = (number: number) => ({ number, protocol: "tcp" });
  assert.deepEqual(published, [
    { port: { number: 53, protocol: "udp" }, address: "0.0.0.0", hostPort: 32768 },
    { port: { number: 53, protocol: "udp" }, address: "::", hostPort: 32768 },
    { port: tcp(80), address: "0.0.0.0", hostPort: 32769 },
    { port: tcp(80), address: "::", hostPort: 32768 },
    { port: tcp(81), address: "127.0.0.1", hostPort: 32768 },
  ]);
  assert.deepEqual(gateways, { bridge: "172.17.0.1" });
});

Deno.test("parseContainer() leaves out bindings that name no port of the host", () => {
  const reply = recorded("inspect_published.json");
  const on = (HostPort: string) => [{ HostIp: "", HostPort }];
  reply.NetworkSettings.Ports = {
    "80/tcp": on(""),
    "81/tcp": on("0"),
    "82/tcp": on("65536"),
    "0/tcp": on("1"),
    "99999/tcp": on("1"),
    "83/sctp": on("1"),
    "84/tcp": on("8084"),
    "85/tcp": null,
  };
  assert.deepEqual(parseContainer(reply).published, [
    { port: { number: 84, protocol: "tcp" }, address: "0.0.0.0", hostPort: 8084 },
  ]);
});

Deno.test("parseContainer() prefers IPv4 and takes IPv6 where there is no other", () => {
  const reply = recorded("inspect_running.json");
  reply.NetworkSettings.Networks["shop_edge"].GlobalIPv6Address = "fd00::5";
  assert.equal(parseContainer(reply).networks[0]?.address, "172.20.0.2");
  reply.NetworkSettings.Networks["shop_edge"].IPAddress = "";
  assert.equal(parseContainer(reply).networks[0]?.address, "fd00::5");
});

Deno.test("parseContainer() gives Docker's defaults where nothing is said: SIGTERM and 10 s", () => {
  const { stopSignal, stopGrace } = container("healthy");
  assert.deepEqual({ stopSignal, stopGrace }, { stopSignal: 15, stopGrace: 10_000 });
});

Deno.test("parseContainer() leaves out ports that no edge serves", () => {
  const reply = recorded("inspect_running.json");
  reply.Config.ExposedPorts = { "80/tcp": {}, "99/sctp": {}, "x/tcp": {}, "53/udp": {} };
  assert.deepEqual(parseContainer(reply).exposed, [
    { number: 80, protocol: "tcp" },
    { number: 53, protocol: "udp" },
  ]);
});

Deno.test("parseContainer() takes variables and labels with the names of prototypes for what they are", () => {
  const reply = recorded("inspect_running.json");
  reply.Config.Env = ["__proto__=a", "constructor=b", "no equals sign", "=x", "A=1=2", "toString="];
  reply.Config.Labels = JSON.parse('{"__proto__": "a", "constructor": "b"}');
  const { env, labels } = parseContainer(reply);
  assert.deepEqual(Object.entries(env), [
    ["__proto__", "a"],
    ["constructor", "b"],
    ["A", "1=2"],
    ["toString", ""],
  ]);
  assert.equal(labels["constructor"], "b");
  assert.equal(Object.getPrototypeOf(labels), Object.prototype);
});

Deno.test("parseContainer() says what is wrong with a reply that is none", () => {
  for (const reply of [undefined, null, {}, [], "x", { Id: 1 }]) {
    assert.throws(() => parseContainer(reply), /^Error: Cannot read the container: /);
  }
});

Deno.test("parseList() reads every row: running, paused, restarting, health and networks", () => {
  const rows = Object.fromEntries(
    parseList(recorded("list.json")).map(({ id: _, ...row }) => [row.name, row]),
  );
  const state = (name: string) => {
    const { running, paused, health } = rows[name]!;
    return [running, paused, health];
  };
  assert.deepEqual(state("shop-web-1"), [true, false, "none"]);
  assert.deepEqual(state("shop-checked-1"), [true, false, "healthy"]);
  assert.deepEqual(state("shop-sick-1"), [true, false, "unhealthy"]);
  assert.deepEqual(state("shop-slow-1"), [true, false, "starting"]);
  assert.deepEqual(state("shop-job-1"), [true, true, "none"]);
  assert.deepEqual(state("shop-checked-paused-1"), [true, true, "none"]);
  assert.deepEqual(state("shop-crash-1"), [false, false, "none"]);
  assert.deepEqual(rows["shop-dns-1"]!.networks, container("two_networks").networks);
});

Deno.test("parseList() and parseContainer() agree on the containers that run", () => {
  const listed = new Map(parseList(recorded("list.json")).map((row) => [row.id, row]));
  for (
    const name of [
      "running",
      "paused",
      "healthy",
      "unhealthy",
      "starting",
      "host_network",
      "two_networks",
    ]
  ) {
    const { id, networks, paused, name: called, health } = container(name);
    const row = listed.get(id)!;
    assert.deepEqual(row.networks, networks, name);
    assert.deepEqual([row.paused, row.name], [paused, called], name);
    assert.equal(row.health, health, name);
  }
});

Deno.test("parseList() takes a container's own name, not those of links of the old kind", () => {
  const rows = recorded("list.json");
  rows[0].Names = ["/shop-web-1/db", "/shop-db-1"];
  assert.equal(parseList(rows)[0]?.name, "shop-db-1");
  rows[0].Names = null;
  assert.equal(parseList(rows)[0]?.name, "");
});

Deno.test("parseList() refuses the whole list when one row is no container: stale beats partial", () => {
  const rows = recorded("list.json");
  delete rows[3].Id;
  assert.throws(() => parseList(rows), /^Error: Cannot read the list of containers: /);
  assert.throws(() => parseList(undefined), /Cannot read the list/);
  assert.throws(() => parseList({ message: "no" }), /Cannot read the list/);
  assert.deepEqual(parseList([]), []);
});

Deno.test("replies of a current engine (modelled after API 1.52) are understood", () => {
  const [web, job] = parseList(recorded("engine_29_modelled_list.json"));
  assert.deepEqual([web?.health, web?.name, web?.networks], ["healthy", "shop-web-1", [{
    name: "shop_edge",
    address: "172.20.0.5",
    endpoint: "1".repeat(64),
  }]]);
  assert.equal(job?.health, "none");
  const { health, stopSignal, networks } = parseContainer(
    recorded("engine_29_modelled_inspect.json"),
  );
  assert.deepEqual([health, stopSignal], ["healthy", 3]);
  assert.deepEqual(networks, web?.networks);
});

Deno.test("healthOf() is none for what it does not know", () => {
  for (const status of [undefined, "", "none", "well"]) assert.equal(healthOf(status), "none");
});

Deno.test("parseList() and parseContainer() throw nothing but errors that say what they read", () => {
  const almost = fc.record({
    Id: fc.anything(),
    Name: fc.anything(),
    State: fc.anything(),
    Config: fc.anything(),
    HostConfig: fc.anything(),
  });
  fc.assert(fc.property(fc.oneof(fc.anything(), almost), (reply) => {
    for (const parse of [parseContainer, parseList, (reply: unknown) => parseList([reply])]) {
      try {
        parse(reply);
      } catch (error) {
        assert.match((error as Error).message, /^Cannot read the /);
      }
    }
  }));
});
