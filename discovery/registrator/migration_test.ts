// Moving over: containers with labels as written for gliderlabs/registrator, and the services that registrator makes of them.
import assert from "node:assert/strict";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import type { Container, Port, Publication } from "../instance.ts";
import { instancesOf, type Reading, type Rules } from "./instances_of.ts";
import { isLabel } from "./labels.ts";

/** registrator's Service: ID, Name, IP and Port, Tags, Attrs (docs/user/services.md of its repository). */
type Service = readonly [
  id: string,
  name: string,
  endpoint: string,
  tags?: readonly string[],
  attrs?: Readonly<Record<string, string>>,
];

/** One service of a compose file, as Docker shows its container. */
interface Written {
  readonly name: string;
  readonly image?: string;
  /** `80`, `53/udp`. */
  readonly expose?: readonly string[];
  /** `8080:80`. */
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly network_mode?: string;
}

/** registrator -ip 192.168.1.102 <uri>. */
const PUBLISHED: Rules = {
  host: "hostname",
  networks: ["edge"],
  explicit: false,
  tags: [],
  published: true,
  ip: "192.168.1.102",
};
/** registrator -internal <uri>. */
const INTERNAL: Rules = { host: "hostname", networks: ["edge"], explicit: false, tags: [] };

function portIn(text: string): Port {
  const [number, protocol = "tcp"] = text.split("/");
  return { number: Number(number), protocol: protocol as Port["protocol"] };
}

/** `ports:` exposes, too, and binds to IPv4 and IPv6, as Docker does. */
function containerOf({ ports = [], expose = [], network_mode, ...rest }: Written): Container {
  const published: Publication[] = ports.flatMap((text) => {
    const [hostPort, port] = text.split(":");
    return ["0.0.0.0", "::"].map((address) => (
      { port: portIn(port!), address, hostPort: Number(hostPort) }
    ));
  });
  const exposed = new Map(
    [...expose, ...ports.map((text) => text.split(":")[1]!)].map((text) => [text, portIn(text)]),
  );
  return sampleContainer({
    name: rest.name,
    image: rest.image ?? "progrium/nginx",
    labels: rest.labels ?? {},
    env: rest.environment ?? {},
    exposed: [...exposed.values()],
    published,
    networkMode: network_mode ?? "edge",
    networks: [attached(network_mode ?? "edge", network_mode === "host" ? "" : "172.20.0.5")],
  });
}

/** What we make of it, in registrator's form; what we understand as a setting is no attr of ours. */
function services({ instances, rejections }: Reading): readonly Service[] {
  assert.deepEqual(rejections, []);
  return instances.map(({ id, service, address, port, tags, attrs }) => (
    [id, service, `${address}:${port}`, tags, { ...attrs }] as const
  ));
}

function gives(written: Written, rules: Rules, expected: readonly Service[]): void {
  const byId = (a: Service, b: Service) => a[0] < b[0] ? -1 : 1;
  const wanted = expected.map(([id, name, endpoint, tags = [], attrs = {}]) => (
    [
      id,
      name,
      endpoint,
      tags,
      Object.fromEntries(Object.entries(attrs).filter(([key]) => !isLabel(key))),
    ] as const
  ));
  const found = services(instancesOf(containerOf(written), rules));
  assert.deepEqual(found.toSorted(byId), wanted.toSorted(byId));
}

Deno.test("migration: the examples of registrator's documentation, published ports on -ip", () => {
  const redis = { name: "redis.0", image: "progrium/redis", ports: ["10000:6379"] };
  const at = "192.168.1.102:10000";
  gives(redis, PUBLISHED, [["hostname:redis.0:6379", "redis", at]]);
  const metadata = {
    SERVICE_NAME: "db",
    SERVICE_TAGS: "master,backups",
    SERVICE_REGION: "us2",
  };
  const db: Service[] = [
    ["hostname:redis.0:6379", "db", at, ["master", "backups"], { region: "us2" }],
  ];
  gives({ ...redis, environment: metadata }, PUBLISHED, db);
  gives({ ...redis, labels: metadata }, PUBLISHED, db);
  gives({ ...redis, labels: { ...metadata, SERVICE_TAGS: "/(;\\,:-_)/" } }, PUBLISHED, [
    ["hostname:redis.0:6379", "db", at, ["/(;,:-_)/"], { region: "us2" }],
  ]);
  const nginx = { name: "nginx.0", ports: ["4443:443", "8000:80"] };
  gives(nginx, PUBLISHED, [
    ["hostname:nginx.0:443", "nginx-443", "192.168.1.102:4443"],
    ["hostname:nginx.0:80", "nginx-80", "192.168.1.102:8000"],
  ]);
  const environment = {
    SERVICE_443_NAME: "https",
    SERVICE_443_ID: "https.12345",
    SERVICE_443_SNI: "enabled",
    SERVICE_80_NAME: "http",
    SERVICE_TAGS: "www",
  };
  gives({ ...nginx, environment }, PUBLISHED, [
    ["https.12345", "https", "192.168.1.102:4443", ["www"], { sni: "enabled" }],
    ["hostname:nginx.0:80", "http", "192.168.1.102:8000", ["www"]],
  ]);
});

Deno.test("migration: -internal registers what is exposed, published or not, at the container's address", () => {
  const web = { name: "web", expose: ["80"], ports: ["8443:443"] };
  gives(web, INTERNAL, [
    ["hostname:web:443", "nginx-443", "172.20.0.5:443"],
    ["hostname:web:80", "nginx-80", "172.20.0.5:80"],
  ]);
  gives(web, PUBLISHED, [["hostname:web:443", "nginx", "192.168.1.102:8443"]]);
  gives({ name: "web", expose: ["80"] }, PUBLISHED, []);
});

Deno.test("migration: SERVICE_NAME gets -<port> where there are several ports, SERVICE_x_NAME does not", () => {
  const labels = { SERVICE_NAME: "shop", SERVICE_8080_NAME: "admin" };
  gives({ name: "shop", expose: ["80", "443", "8080"], labels }, INTERNAL, [
    ["hostname:shop:80", "shop-80", "172.20.0.5:80"],
    ["hostname:shop:443", "shop-443", "172.20.0.5:443"],
    ["hostname:shop:8080", "admin", "172.20.0.5:8080"],
  ]);
  gives({ name: "shop", expose: ["80"], labels: { SERVICE_80_NAME: "www" } }, INTERNAL, [
    ["hostname:shop:80", "www", "172.20.0.5:80"],
  ]);
});

Deno.test("migration: an image's environment is the default, labels override it, a port beats both", () => {
  const environment = {
    SERVICE_NAME: "image",
    SERVICE_TAGS: "image",
    SERVICE_80_NAME: "image-80",
    SERVICE_REGION: "none",
  };
  const labels = { SERVICE_NAME: "label", SERVICE_TAGS: "label", SERVICE_80_REGION: "eu" };
  gives({ name: "a", expose: ["80", "81"], environment, labels }, INTERNAL, [
    ["hostname:a:80", "image-80", "172.20.0.5:80", ["label"], { region: "eu" }],
    ["hostname:a:81", "label-81", "172.20.0.5:81", ["label"], { region: "none" }],
  ]);
});

Deno.test("migration: UDP has its own id and tag, beside TCP on the same number too", () => {
  const dns = { name: "dns.0", labels: { SERVICE_NAME: "dns" } };
  gives({ ...dns, expose: ["53/tcp", "53/udp"] }, INTERNAL, [
    ["hostname:dns.0:53", "dns-53", "172.20.0.5:53"],
    ["hostname:dns.0:53:udp", "dns-53", "172.20.0.5:53", ["udp"]],
  ]);
  gives({ ...dns, ports: ["5300:53/udp"] }, { ...PUBLISHED, tags: ["lan"] }, [
    ["hostname:dns.0:53:udp", "dns", "192.168.1.102:5300", ["lan", "udp"]],
  ]);
});

Deno.test("migration: SERVICE_IGNORE for all or for one port, whose sibling keeps its suffix", () => {
  gives({ name: "a", expose: ["80"], labels: { SERVICE_IGNORE: "true" } }, INTERNAL, []);
  gives({ name: "a", expose: ["80"], environment: { SERVICE_IGNORE: "yes" } }, INTERNAL, []);
  const labels = { SERVICE_443_IGNORE: "true", SERVICE_NAME: "web" };
  gives({ name: "a", expose: ["80", "443"], labels }, INTERNAL, [
    ["hostname:a:80", "web-80", "172.20.0.5:80"],
  ]);
});

Deno.test("migration: -explicit, -tags", () => {
  const rules = { ...INTERNAL, explicit: true, tags: ["eu", "blue"] };
  gives({ name: "a", expose: ["80"], labels: { SERVICE_TAGS: "a" } }, rules, []);
  gives({ name: "a", expose: ["80"], labels: { SERVICE_NAME: "web", SERVICE_TAGS: "a" } }, rules, [
    ["hostname:a:80", "web", "172.20.0.5:80", ["a", "eu", "blue"]],
  ]);
  gives({ name: "a", expose: ["80", "81"], labels: { SERVICE_81_NAME: "api" } }, rules, [
    ["hostname:a:81", "api", "172.20.0.5:81", ["eu", "blue"]],
  ]);
});

Deno.test("migration: network_mode: host is at -ip with the port that the image exposes", () => {
  const proxy = { name: "proxy", network_mode: "host", expose: ["9000"] };
  for (const rules of [PUBLISHED, { ...INTERNAL, ip: "192.168.1.102" }]) {
    gives(proxy, rules, [["hostname:proxy:9000", "nginx", "192.168.1.102:9000"]]);
  }
});

Deno.test("migration: -useIpFromLabel takes the address with or without its prefix length", () => {
  for (const address of ["10.9.8.7", "10.9.8.7/24"]) {
    const labels = { "net.address": address };
    gives(
      { name: "a", ports: ["8080:80"], labels },
      { ...PUBLISHED, addressLabel: "net.address" },
      [["hostname:a:80", "nginx", "10.9.8.7:8080"]],
    );
    gives(
      { name: "a", expose: ["80"], labels },
      { ...INTERNAL, addressLabel: "net.address" },
      [["hostname:a:80", "nginx", "10.9.8.7:80"]],
    );
  }
});

Deno.test("migration: Consul's checks as written for registrator are understood", () => {
  const check = (labels: Record<string, string>) =>
    instancesOf(containerOf({ name: "a", expose: ["80"], labels }), INTERNAL).instances[0]?.check;
  assert.deepEqual(
    check({
      SERVICE_80_CHECK_HTTP: "/health/endpoint/path",
      SERVICE_80_CHECK_INTERVAL: "15s",
      SERVICE_80_CHECK_TIMEOUT: "1s",
      SERVICE_80_CHECK_HTTP_METHOD: "HEAD",
    }),
    {
      kind: "http",
      path: "/health/endpoint/path",
      method: "HEAD",
      interval: 15_000,
      timeout: 1_000,
    },
  );
  assert.deepEqual(
    check({
      SERVICE_CHECK_TCP: "true",
      SERVICE_CHECK_INTERVAL: "15s",
      SERVICE_CHECK_TIMEOUT: "3s",
    }),
    { kind: "tcp", interval: 15_000, timeout: 3_000 },
  );
  // What only Consul could do takes nobody out of rotation.
  for (
    const labels of [
      { SERVICE_443_CHECK_HTTPS: "/health" },
      { SERVICE_CHECK_SCRIPT: "nc $SERVICE_IP $SERVICE_PORT | grep OK" },
      { SERVICE_CHECK_CMD: "/check" },
      { SERVICE_CHECK_TTL: "30s" },
      { SERVICE_CHECK_GRPC: "true", SERVICE_CHECK_GRPC_USE_TLS: "true" },
      { SERVICE_CHECK_INITIAL_STATUS: "passing", SERVICE_CHECK_DEREGISTER_AFTER: "10m" },
    ]
  ) assert.equal(check(labels)?.kind, "tcp");
});

Deno.test("migration, where we differ: Compose's service before the image, `false` does not ignore, one label beats one variable", () => {
  const only = (written: Written) => services(instancesOf(containerOf(written), INTERNAL));
  const base = { name: "shop-web-1", expose: ["80"] };
  // registrator: nginx.
  const compose = { "com.docker.compose.service": "web" };
  assert.equal(only({ ...base, labels: compose })[0]?.[1], "web");
  // registrator: nobody.
  assert.equal(only({ ...base, labels: { SERVICE_IGNORE: "false" } }).length, 1);
  // registrator: env, as of two settings for the same port it believes the first.
  const both = { environment: { SERVICE_80_NAME: "env" }, labels: { SERVICE_80_NAME: "label" } };
  assert.equal(only({ ...base, ...both })[0]?.[1], "label");
});

Deno.test("migration, where we differ: an address is chosen the same way each time, and nobody is registered at none", () => {
  const networks = [attached("back", "10.0.0.9"), attached("edge", "172.20.0.5")];
  for (const on of [networks, networks.toReversed()]) {
    const { instances } = instancesOf(sampleContainer({ networks: on }), INTERNAL);
    assert.equal(instances[0]?.address, "172.20.0.5"); // registrator: whichever comes last, by chance
  }
  const host = containerOf({ name: "proxy", network_mode: "host", expose: ["9000"] });
  const { instances, rejections } = instancesOf(host, INTERNAL);
  assert.deepEqual(instances, []); // registrator: an instance at "":9000
  assert.match(rejections[0]!.reason, /Set ROLLCALL_IP/);
});
