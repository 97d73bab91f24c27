// From a container to its instances (contract 2), and what is refused.
import assert from "node:assert/strict";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import type { Container, Port } from "../instance.ts";
import { instancesOf, type Rules } from "./instances_of.ts";

const RULES: Rules = { host: "h", networks: ["edge"], explicit: false, tags: [] };
type Texts = Record<string, string>;
const tcp = (number: number): Port => ({ number, protocol: "tcp" });

function read(container: Partial<Container>, rules: Partial<Rules> = {}) {
  return instancesOf(sampleContainer({ name: "shop-web-1", ...container }), { ...RULES, ...rules });
}

/** Instances as `service id`, rejections as `port: reason`. */
function summary(container: Partial<Container>, rules: Partial<Rules> = {}) {
  const { instances, rejections } = read(container, rules);
  return [
    ...instances.map(({ service, id }) => `${service} ${id}`),
    ...rejections.map(({ port, reason }) => `${port}: ${reason}`),
  ];
}

function reasonFor(labels: Texts): string {
  const { instances, rejections } = read({ labels });
  assert.deepEqual(instances, []);
  assert.equal(rejections.length, 1);
  return rejections[0]!.reason;
}

Deno.test("instancesOf() makes of a plain container one instance, with registrator's id", () => {
  assert.deepEqual(read({}), {
    instances: [{
      id: "h:shop-web-1:80",
      service: "nginx",
      address: "172.20.0.5",
      port: 80,
      protocol: "tcp",
      weight: 1,
      tags: [],
      attrs: {},
      routes: [],
      balance: "round_robin",
      check: { kind: "tcp", interval: 0, timeout: 1_000 },
    }],
    rejections: [],
  });
});

Deno.test("instancesOf() names by SERVICE_NAME, else by Compose's service, else by the image", () => {
  const compose = { "com.docker.compose.service": "shop" };
  const name = (container: Partial<Container>) => read(container).instances[0]?.service;
  assert.equal(name({ labels: { ...compose, SERVICE_NAME: "web" } }), "web");
  assert.equal(name({ labels: { ...compose, SERVICE_NAME: "" } }), "shop");
  assert.equal(name({ labels: compose, env: { SERVICE_NAME: "env" } }), "env");
  assert.equal(name({ labels: compose }), "shop");
  for (
    const image of [
      "nginx",
      "nginx:1.30",
      "registry:5000/team/nginx:1.30@sha256:ab",
      "x/nginx@sha256:ab",
    ]
  ) {
    assert.equal(name({ image }), "nginx", image);
  }
});

Deno.test("instancesOf() names a task of Swarm as its stack's file does", () => {
  const name = "shop_web.1.6s6wu7unwzvocpkvmb6ozvxrs";
  const service = { "com.docker.swarm.service.name": "shop_web" };
  const stack = { ...service, "com.docker.stack.namespace": "shop" };
  const id = `h:${name}:80`;
  assert.deepEqual(summary({ name, labels: stack }), [`web ${id}`]);
  assert.deepEqual(summary({ name, labels: service }), [`shop_web ${id}`]); // `docker service create`
  const other = { ...service, "com.docker.stack.namespace": "sh" };
  assert.deepEqual(summary({ name, labels: other }), [`shop_web ${id}`]);
  assert.deepEqual(summary({ name, labels: { ...stack, SERVICE_NAME: "api" } }), [`api ${id}`]);
  const built = { ...stack, "com.docker.compose.service": "service" }; // Compose's label of the image
  assert.deepEqual(summary({ name, labels: built }), [`web ${id}`]);
});

Deno.test("instancesOf() adds the port to the name when there are several, unless one has its own", () => {
  assert.deepEqual(
    summary({
      exposed: [tcp(8080), tcp(80)],
      labels: { SERVICE_NAME: "web", SERVICE_80_NAME: "www" },
    }),
    [
      "www h:shop-web-1:80",
      "web-8080 h:shop-web-1:8080",
    ],
  );
});

Deno.test("instancesOf() tells 53/tcp and 53/udp apart", () => {
  const exposed: Port[] = [{ number: 53, protocol: "udp" }, tcp(53)];
  const { instances } = read({ exposed });
  assert.deepEqual(instances.map(({ id, protocol, tags }) => [id, protocol, tags]), [
    ["h:shop-web-1:53", "tcp", []],
    ["h:shop-web-1:53:udp", "udp", ["udp"]],
  ]);
});

Deno.test("instancesOf() takes ports that labels declare, once", () => {
  const labels = { SERVICE_80_NAME: "www", SERVICE_8080_NAME: "api", SERVICE_08080_NAME: "api" };
  assert.deepEqual(summary({ labels }), ["www h:shop-web-1:80", "api h:shop-web-1:8080"]);
  assert.deepEqual(summary({ exposed: [], labels: { SERVICE_80_NAME: "www" } }), [
    "www h:shop-web-1:80",
  ]);
  // An application's own variable of that form declares nothing.
  assert.deepEqual(summary({ exposed: [], env: { SERVICE_80_NAME: "www" } }).length, 1);
});

Deno.test("instancesOf() leaves out who asks for it, as a whole or for one port", () => {
  assert.deepEqual(summary({ labels: { SERVICE_IGNORE: "true" } }), []);
  const exposed = [tcp(80), tcp(81)];
  assert.deepEqual(summary({ exposed, labels: { SERVICE_81_IGNORE: "1" } }), [
    "nginx-80 h:shop-web-1:80",
  ]);
  assert.deepEqual(
    summary({ exposed, labels: { SERVICE_IGNORE: "1", SERVICE_80_IGNORE: "false" } }),
    [
      "nginx-80 h:shop-web-1:80",
    ],
  );
  assert.deepEqual(summary({ labels: { SERVICE_IGNORE: "false" } }), ["nginx h:shop-web-1:80"]);
});

Deno.test("instancesOf() does not complain about a container that asks to be left out", () => {
  const labels = { SERVICE_IGNORE: "true", SERVICE_99999_NAME: "x", SERVICE_NAME: "web" };
  assert.deepEqual(summary({ labels, exposed: [] }), []);
  const exposed = Array.from({ length: 1000 }, (_, i) => tcp(i + 1));
  assert.deepEqual(summary({ labels, exposed }), []);
});

Deno.test("instancesOf() with `explicit` takes only what has a name", () => {
  const explicit = { explicit: true };
  assert.deepEqual(summary({}, explicit), []);
  assert.deepEqual(summary({ labels: { SERVICE_NAME: "web" } }, explicit), ["web h:shop-web-1:80"]);
  const exposed = [tcp(80), tcp(81)];
  assert.deepEqual(summary({ exposed, env: { SERVICE_81_NAME: "api" } }, explicit), [
    "api h:shop-web-1:81",
  ]);
  assert.deepEqual(summary({ networks: [], labels: { SERVICE_TAGS: "a" } }, explicit), []);
});

Deno.test("instancesOf() takes the address on the first network that nginx shares", () => {
  const networks = [
    attached("a", "10.0.0.1"),
    attached("b", "10.0.1.1"),
    attached("shop_c", ""),
  ];
  const address = (shared: string[], labels: Texts = {}) =>
    read({ networks, labels }, { networks: shared }).instances[0]?.address;
  assert.equal(address(["b", "a"]), "10.0.1.1");
  assert.equal(address(["shop_c", "a"]), "10.0.0.1");
  assert.equal(address(["b", "a"], { SERVICE_NETWORK: "a" }), "10.0.0.1");
  assert.equal(address(["a", "shop_c"], { SERVICE_NETWORK: "c" }), undefined); // chosen, but no address there yet
});

Deno.test("instancesOf() understands Compose's short name of a network", () => {
  const networks = [attached("other_x", "10.0.0.1"), attached("shop_x", "10.0.1.1")];
  const { instances } = read({ networks, labels: { SERVICE_NETWORK: "x" } }, {
    networks: ["shop_x"],
  });
  assert.equal(instances[0]?.address, "10.0.1.1");
});

Deno.test("instancesOf() says which network to add, or why none helps", () => {
  const reason = (container: Partial<Container>) => read(container).rejections[0]?.reason;
  assert.equal(
    reason({ networks: [attached("x", "10.0.0.1")] }),
    "It is on no network that nginx shares (it is on: x). Add the network edge to its service.",
  );
  assert.match(reason({ networks: [] })!, /it is on: none/);
  assert.match(
    reason({ labels: { SERVICE_NETWORK: "y" } })!,
    /SERVICE_NETWORK 'y': the container is not on it \(it is on: edge\)/,
  );
  const networks = [attached("edge", "10.0.0.1"), attached("y", "10.0.1.1")];
  assert.match(
    reason({ networks, labels: { SERVICE_NETWORK: "y" } })!,
    /nginx cannot reach it \(it is on: edge\)/,
  );
});

Deno.test("instancesOf() reads tags, weight, routes, and keeps unknown settings as attrs", () => {
  const labels = {
    SERVICE_TAGS: "a, b,,",
    SERVICE_WEIGHT: " 10 ",
    SERVICE_HOST: "www.example.org",
    SERVICE_PATH: "/shop",
    SERVICE_REGION: "eu",
    SERVICE_80_ZONE: "z\n1",
    "other.label": "no",
  };
  const [instance] = read({ labels }, { tags: ["forced"] }).instances;
  assert.deepEqual(instance?.tags, ["a", "b", "forced"]);
  assert.equal(instance?.weight, 10);
  assert.deepEqual(instance?.routes, [{ host: "www.example.org", path: "/shop", strip: false }]);
  assert.deepEqual(instance?.attrs, { region: "eu", zone: "z\n1" });
});

Deno.test("instancesOf() takes an empty setting for none, so that a label can undo a variable; an attr may be empty", () => {
  const env = {
    SERVICE_NAME: "web",
    SERVICE_TAGS: "a",
    SERVICE_WEIGHT: "7",
    SERVICE_ID: "x",
    SERVICE_IGNORE: "true",
    SERVICE_CHECK_HTTP: "/readyz",
    SERVICE_CHECK_INTERVAL: "1s",
    SERVICE_NETWORK: "none",
    SERVICE_80_HOST: "a.example.org",
  };
  const labels = Object.fromEntries(Object.keys(env).map((name) => [name, ""]));
  assert.deepEqual(read({ env, labels }), read({}));
  assert.deepEqual(read({ labels: { SERVICE_REGION: "" } }).instances[0]?.attrs, { region: "" });
});

Deno.test("instancesOf() notes which of registrator's checks it replaces", () => {
  const [instance] = read({ labels: { SERVICE_CHECK_SCRIPT: "curl x" } }).instances;
  assert.match(instance!.note!, /^SERVICE_CHECK_SCRIPT is not done: /);
  assert.deepEqual(instance!.attrs, { check_script: "curl x" });
});

Deno.test("instancesOf() with published ports registers what the host publishes, under the id of the container's port", () => {
  const on = (port: number, hostPort: number) => (
    { port: tcp(port), address: "0.0.0.0", hostPort }
  );
  const rules = { published: true, ip: "192.0.2.7" };
  const exposed = [tcp(80), tcp(443), tcp(9000)];
  const published = [on(80, 8080), on(443, 8443)];
  const found = read({ exposed, published, labels: { SERVICE_443_NAME: "tls" } }, rules);
  assert.deepEqual(
    found.instances.map((it) => [it.service, it.id, it.address, it.port, it.containerPort]),
    [
      ["nginx-80", "h:shop-web-1:80", "192.0.2.7", 8080, 80],
      ["tls", "h:shop-web-1:443", "192.0.2.7", 8443, 443],
    ],
  );
  assert.deepEqual(found.rejections, []);
  // One published port of three exposed ones is one: no suffix, as in registrator.
  assert.deepEqual(summary({ exposed, published: [on(80, 80)] }, rules), [
    "nginx h:shop-web-1:80",
  ]);
  assert.equal(read({ published: [on(80, 80)] }, rules).instances[0]?.containerPort, undefined);
});

Deno.test("instancesOf() with published ports says nothing of a port that nobody published or named, and says why one that has a name is out", () => {
  const rules = { published: true, ip: "192.0.2.7" };
  assert.deepEqual(summary({}, rules), []);
  assert.match(
    summary({ labels: { SERVICE_NAME: "web" } }, rules)[0]!,
    /^-: It has a SERVICE_NAME but no published port\. Add `ports:`/,
  );
  const published = [{ port: tcp(443), address: "0.0.0.0", hostPort: 443 }];
  const labels = { SERVICE_80_NAME: "www", SERVICE_NAME: "web" };
  const [web, www] = summary({ exposed: [tcp(80), tcp(443)], published, labels }, rules);
  assert.equal(web, "web h:shop-web-1:443");
  assert.match(www!, /^80: Its port 80 is not published\. Add it to the `ports:`/);
});

Deno.test("instancesOf() is quick with an image that exposes every port there is", () => {
  const exposed = Array.from({ length: 65_535 }, (_, i) => tcp(i + 1));
  const began = performance.now();
  for (const published of [false, true]) read({ exposed }, { published });
  assert.ok(performance.now() - began < 3_000); // 4,000,000,000 steps if it looked each one up in a list
});

Deno.test("instancesOf() takes SERVICE_ID for the instance's id", () => {
  assert.deepEqual(summary({ labels: { SERVICE_ID: "mine" } }), ["nginx mine"]);
});

Deno.test("instancesOf() rejects wrong values with the setting, the value and what it should be", () => {
  const wrong: Array<[Texts, RegExp]> = [
    [{ SERVICE_NAME: "a b" }, /^SERVICE_NAME 'a b' is not a service name \(letters/],
    [{ SERVICE_NAME: "x/../y" }, /^SERVICE_NAME /],
    [{ SERVICE_NAME: "a".repeat(64) }, /^SERVICE_NAME 'a{60}…' is not/],
    [{ SERVICE_NAME: "web; } server {" }, /^SERVICE_NAME /],
    [{ SERVICE_ID: "a/b" }, /^SERVICE_ID 'a\/b' is not an instance id/],
    [{ SERVICE_ID: "a\nb" }, /^SERVICE_ID 'a\?b' is not an instance id/],
    [{ SERVICE_WEIGHT: "heavy" }, /^SERVICE_WEIGHT 'heavy' is not a whole number from 0 to 1000/],
    [{ SERVICE_WEIGHT: "1e2" }, /^SERVICE_WEIGHT/],
    [{ SERVICE_WEIGHT: "1001" }, /^SERVICE_WEIGHT/],
    [{ SERVICE_WEIGHT: "-1" }, /^SERVICE_WEIGHT/],
    [{ SERVICE_HOST: "a;b" }, /^SERVICE_HOST/],
    [{ SERVICE_PATH: "x" }, /^SERVICE_PATH/],
    [{ SERVICE_CHECK_HTTP: "x" }, /^SERVICE_CHECK_HTTP/],
    [{ SERVICE_CHECK_INTERVAL: "x" }, /^SERVICE_CHECK_INTERVAL/],
    [{ SERVICE_ANY: "x".repeat(4097) }, /^SERVICE_ANY is longer than 4096 characters/],
    [{ [`SERVICE_${"x\n".repeat(2049)}`]: "" }, /^SERVICE_[X?]{60}… is longer than 4096/],
  ];
  for (const [labels, message] of wrong) assert.match(reasonFor(labels), message);
});

Deno.test("instancesOf() rejects settings that together would burst a transaction of etcd", () => {
  const some = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`SERVICE_X${i}`, "x".repeat(4000)]),
    );
  assert.equal(read({ labels: some(4) }).instances.length, 1);
  assert.match(reasonFor(some(5)), /more than 16384 characters together/);
});

Deno.test("instancesOf() rejects a name that etcd would refuse, also where SERVICE_ID spares it the key", () => {
  const labels = { SERVICE_ID: "x" };
  const reason = (change: Partial<Container>) => read({ labels, ...change }).rejections[0]?.reason;
  assert.match(reason({ name: "n".repeat(256) })!, /^Its name is longer than 255 characters/);
  assert.match(reason({ image: "i".repeat(4097) })!, /^Its image's name is longer than 4096/);
  assert.equal(
    reason({ name: "n".repeat(255), labels: { ...labels, SERVICE_NAME: "a" } }),
    undefined,
  );
});

Deno.test("instancesOf() rejects a wrong port in a label, and registers the right ones", () => {
  const labels = { SERVICE_99999_NAME: "a", SERVICE_0_NAME: "b", SERVICE_80_NAME: "web" };
  assert.deepEqual(summary({ labels }), [
    "web h:shop-web-1:80",
    "-: SERVICE_99999_NAME, SERVICE_0_NAME: a port is a number from 1 to 65535. Mend the label.",
  ]);
  const huge = { [`SERVICE_${"9".repeat(5000)}_NAME`]: "a" };
  assert.match(summary({ labels: huge })[1]!, /^-: SERVICE_9{20}_NAME: a port is/);
});

Deno.test("instancesOf() rejects one port of a container and registers the other", () => {
  const exposed = [tcp(80), tcp(81)];
  assert.deepEqual(summary({ exposed, labels: { SERVICE_81_WEIGHT: "x" } }), [
    "nginx-80 h:shop-web-1:80",
    "81: SERVICE_WEIGHT 'x' is not a whole number from 0 to 1000.",
  ]);
});

Deno.test("instancesOf() does not register an image that exposes thousands of ports: each would be probed", () => {
  const exposed = Array.from({ length: 10_001 }, (_, i) => tcp(10_000 + i));
  assert.deepEqual(summary({ exposed }), [
    "-: It exposes 10001 ports, more than 64. Expose fewer, or set SERVICE_IGNORE=true.",
  ]);
});

Deno.test("instancesOf() says what is missing when there is a name but no port, and nothing when there is neither", () => {
  assert.match(
    summary({ exposed: [], labels: { SERVICE_NAME: "db" } })[0]!,
    /^-: It has a SERVICE_NAME but no port\. Add EXPOSE/,
  );
  assert.deepEqual(summary({ exposed: [] }), []);
});

Deno.test("instancesOf() takes the names of prototypes for attrs like any other", () => {
  const labels = Object.fromEntries([["SERVICE___proto__", "a"], ["SERVICE_toString", "b"]]);
  const [instance] = read({ labels }).instances;
  assert.deepEqual(Object.entries(instance!.attrs), [["__proto__", "a"], ["tostring", "b"]]);
});
