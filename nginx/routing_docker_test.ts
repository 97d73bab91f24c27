// What the edge makes of the keys in etcd: who gets traffic, what clients get, and that no value can break out.
import assert from "node:assert/strict";
import fc from "fast-check";
import { dockerTest, eventually } from "../scripts/testing/docker.ts";
import { Edge, registration, route } from "./testing/edge.ts";

const KEY = "/services/service/test:a:8080";

dockerTest("the edge serves who stands in etcd", async (t) => {
  await using edge = await Edge.build();
  await edge.startEtcd();
  await edge.start({ TRUSTED_PROXIES: "10.99.0.0/16, 2001:db8::/32", DEFAULT_SERVICE: "service" });
  const a = await edge.instance(
    "a $http_host $http_x_forwarded_for $http_x_forwarded_proto $http_x_forwarded_host",
  );
  const b = await edge.instance("b $http_upgrade,$http_connection,$http_x_request_id");
  await edge.vouch();

  await t.step("503 with Retry-After and problem details while nobody serves", async () => {
    const { status, headers, body } = await edge.get();
    assert.equal(status, 503);
    assert.equal(headers.get("retry-after"), "1");
    assert.equal(headers.get("content-type"), "application/problem+json");
    const problem = JSON.parse(body);
    assert.equal(problem.status, 503);
    assert.equal(problem.title, "Service Unavailable");
    assert.equal(problem.request_id, headers.get("x-request-id"));
  });

  await t.step("a browser gets a page", async () => {
    const { status, headers, body } = await edge.get("/", { accept: "text/html,*/*" });
    assert.equal(status, 503);
    assert.equal(headers.get("retry-after"), "1");
    assert.equal(headers.get("content-type"), "text/html");
    assert.match(body, /<h1.*503 Service Unavailable/);
  });

  await t.step("the default service answers on any host", async () => {
    await edge.put({ [KEY]: registration(a) });
    await eventually(async () => assert.equal((await edge.get()).status, 200));
    for (const host of ["localhost", "example.org", "service.localhost", "10.1.2.3:99"]) {
      assert.match((await edge.get("/", { host })).body, /^a /, host);
    }
  });

  await t.step("every service answers on its own name, and on no other's", async () => {
    await edge.put({ "/services/Shop_1.b-2/x": registration(b) });
    await eventually(async () =>
      assert.match((await edge.get("/", { host: "shop_1.b-2.localhost:8080" })).body, /^b /)
    );
    const { status } = await edge.get("/", { host: "unknown.localhost" });
    assert.equal(status, 503, "not the default service");
  });

  await t.step("says who the client is, and lets no client say it", async () => {
    const spoofed = {
      "x-forwarded-for": "6.6.6.6",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil",
    };
    const { body } = await edge.get("/", { host: "example.org:81", ...spoofed });
    assert.match(body, /^a example.org:81 [0-9.]+ http example.org:81$/);
    assert.ok(!body.includes("6.6.6.6"));
  });

  await t.step("passes WebSocket upgrades on, and no other", async () => {
    const at = { host: "shop_1.b-2.localhost" };
    const ask = (upgrade: string) =>
      edge.exec(
        `curl -s --max-time 2 -H 'Host: ${at.host}' -H 'Upgrade: ${upgrade}' -H 'Connection: Upgrade' -H 'X-Request-Id: id-1' 127.0.0.1:8080`,
      );
    assert.equal(await ask("WebSocket"), "b websocket,upgrade,id-1");
    assert.equal(await ask("h2c"), "b ,,id-1");
  });

  await t.step("replaces a request id that could harm logs or headers", async () => {
    const { headers } = await edge.get("/", { "x-request-id": 'a"b c' });
    assert.match(headers.get("x-request-id")!, /^[0-9a-f]{32}$/);
  });

  await t.step("logs a request as one JSON line", async () => {
    await edge.get("/logged?x=1", { "user-agent": 'quote" \\ 1' });
    await eventually(async () => {
      const line = (await edge.docker("logs", "edge")).split("\n").find((l) =>
        l.includes("/logged")
      )!;
      const { method, uri, status, service, instance, instance_status, user_agent } = JSON.parse(
        line,
      );
      assert.deepEqual(
        { method, uri, status, service, instance, instance_status, user_agent },
        {
          method: "GET",
          uri: "/logged?x=1",
          status: 200,
          service: "service",
          instance: `${a}:8080`,
          instance_status: "200",
          user_agent: 'quote" \\ 1',
        },
      );
    });
  });

  await t.step("spreads requests by weight, and gives none to weight 0 and udp", async () => {
    await edge.put({
      [KEY]: registration(a, { weight: 3 }),
      "/services/service/b": registration(b, { weight: 1 }),
      "/services/service/zero": registration("10.255.0.1", { weight: 0 }),
      "/services/service/udp": registration("10.255.0.2", { protocol: "udp" }),
    });
    await edge.settled("weights");
    const answers = await Promise.all(Array.from({ length: 40 }, () => edge.get()));
    assert.equal(answers.filter(({ body }) => body.startsWith("a ")).length, 30);
    assert.ok(!(await edge.config()).includes("10.255.0."));
  });

  await t.step("an instance that has vanished costs no request", async () => {
    await edge.put({ "/services/service/gone": registration(a.replace(/\d+$/, "250")) });
    await edge.settled("gone");
    const answers = await Promise.all(Array.from({ length: 40 }, () => edge.get()));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  });

  await t.step("an instance that is removed is no longer in the configuration", async () => {
    assert.ok((await edge.config()).includes(`${b}:8080`));
    await edge.delete("/services/service/", { prefix: true });
    await edge.delete("/services/Shop_1.b-2/", { prefix: true });
    await edge.settled("removed");
    const config = await edge.config();
    assert.ok(!config.includes(`${a}:8080`) && !config.includes(`${b}:8080`));
    assert.equal((await edge.get()).status, 503);
  });

  await t.step("equal state gives the same generation", async () => {
    const before = await edge.config();
    await edge.put({ [KEY]: registration(a) });
    await edge.settled("same");
    await edge.delete(KEY);
    await edge.delete("/services/marker-same/x");
    await eventually(async () => assert.equal(await edge.config(), before));
  });
});

/** By name, registrations with a good route and a bad one. */
function routeAttacks(
  routes: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(routes).map(([name, bad]) => [
      name,
      registration("10.0.0.1", { routes: [route("good.org"), bad] }),
    ]),
  );
}

/** Values and keys that try to become more than an address. All of them must be left out. */
const ATTACKS: Readonly<Record<string, string>> = {
  "directive in address": registration("10.0.0.1:80; } } events {} http { server { listen 1"),
  "line break in address": registration("10.0.0.1\n    server 6.6.6.6"),
  "comment in address": registration("10.0.0.1#"),
  "quote in address": registration('10.0.0.1"'),
  "space in address": registration("10.0.0.1 backup"),
  "variable as address": registration("$host"),
  "template as address": registration("{{getenv `PATH`}}"),
  "placeholder as address": registration("@generation@"),
  "socket as address": registration("unix:/run/rollcall/status.sock"),
  "host name as address": registration("metadata.google.internal"),
  "octet too large": registration("10.0.0.256"),
  "octet with zero": registration("10.0.0.01"),
  "the edge itself": registration("127.0.0.1"),
  "any address": registration("0.0.0.0"),
  "IPv6 with a zone": registration("fe80::1%eth0"),
  "IPv6 with two gaps": registration("1::2::3"),
  "IPv6 in brackets": registration("[2001:db8::1]"),
  "address is a list": registration("", { address: ["10.0.0.1"] }),
  "address is an object": registration("", { address: { a: 1 } }),
  "address is missing": registration("", { address: undefined }),
  "port 0": registration("10.0.0.1", { port: 0 }),
  "port 65536": registration("10.0.0.1", { port: 65536 }),
  "port is text": registration("10.0.0.1", { port: "80;" }),
  "port has a fraction": registration("10.0.0.1", { port: 80.5 }),
  "port is huge": registration("10.0.0.1", { port: 1e30 }),
  "port is missing": registration("10.0.0.1", { port: undefined }),
  "weight is text": registration("10.0.0.1", { weight: "1 backup" }),
  "weight is negative": registration("10.0.0.1", { weight: -1 }),
  "weight is too large": registration("10.0.0.1", { weight: 1001 }),
  "balance is unknown": registration("10.0.0.1", { balance: "random" }),
  "directive in balance": registration("10.0.0.1", { balance: "least_conn; } server { listen 1" }),
  "balance by nothing": registration("10.0.0.1", { balance: "hash:header:" }),
  "variable as header": registration("10.0.0.1", { balance: "hash:header:$host" }),
  "header with an underscore": registration("10.0.0.1", { balance: "hash:header:a_b" }),
  "header too long": registration("10.0.0.1", { balance: `hash:header:${"a".repeat(65)}` }),
  "line break behind balance": registration("10.0.0.1", { balance: "hash:client\n" }),
  "balance is a list": registration("10.0.0.1", { balance: ["least_conn"] }),
  ...routeAttacks({
    "directive in host": { host: "a.org; } server { listen 1", path: "/" },
    "second name in host": { host: "a.org b.org", path: "/" },
    "regular expression as host": { host: "~^(.+)$", path: "/" },
    "any host by a star": { host: "*", path: "/" },
    "star within": { host: "www.*.org", path: "/" },
    "star at the end": { host: "www.*", path: "/" },
    "two stars": { host: "*.*.org", path: "/" },
    "two dots in host": { host: "a..org", path: "/" },
    "dot first": { host: ".a.org", path: "/" },
    "dot last": { host: "a.org.", path: "/" },
    "underscore as host": { host: "_", path: "/" },
    "variable as host": { host: "$hostname", path: "/" },
    "line break in host": { host: "a.org\n", path: "/" },
    "not ASCII": { host: "ä.org", path: "/" },
    "host too long": { host: `${"a.".repeat(126)}aa`, path: "/" },
    "host is a number": { host: 7, path: "/" },
    "no host": { path: "/" },
    "no path": { host: "a.org" },
    "empty path": { host: "a.org", path: "" },
    "path without a slash": { host: "a.org", path: "api" },
    "directive in path": { host: "a.org", path: "/a { return 200; } location /b" },
    "semicolon in path": { host: "a.org", path: "/a;" },
    "brace in path": { host: "a.org", path: "/a}" },
    "modifier in path": { host: "a.org", path: "= /a" },
    "named location": { host: "a.org", path: "@a" },
    "variable in path": { host: "a.org", path: "/$uri" },
    "percent in path": { host: "a.org", path: "/a%2Fb" },
    "quote in path": { host: "a.org", path: '/"' },
    "backslash in path": { host: "a.org", path: "/\\" },
    "comment in path": { host: "a.org", path: "/#" },
    "line break in path": { host: "a.org", path: "/a\n" },
    "space in path": { host: "a.org", path: "/a b" },
    "the parts' own space": { host: "a.org", path: "/ zzz keep" },
    "dots in path": { host: "a.org", path: "/a/../b" },
    "dot in path": { host: "a.org", path: "/./a" },
    "two slashes": { host: "a.org", path: "//a" },
    "two slashes at the end": { host: "a.org", path: "/a//" },
    "path too long": { host: "a.org", path: `/${"a".repeat(200)}` },
    "nginx's own path": { host: "a.org", path: "/.rollcall" },
    "below nginx's own path": { host: "a.org", path: "/.rollcall/error.json" },
    "strip is text": { host: "a.org", path: "/", strip: "true" },
    "an unknown field": { host: "a.org", path: "/", more: 1 },
  }),
  "routes are text": registration("10.0.0.1", { routes: "a.org" }),
  "routes are an object": registration("10.0.0.1", { routes: { host: "a.org", path: "/" } }),
  "a route is a list": registration("10.0.0.1", { routes: [["a.org", "/"]] }),
  "seventeen routes": registration("10.0.0.1", {
    routes: Array.from({ length: 17 }, (_, i) => route(`h${i}.org`)),
  }),
  "unknown protocol": registration("10.0.0.1", { protocol: "tcp; }" }),
  "not JSON": "server 6.6.6.6;",
  "nothing": "",
  "only null": "null",
  "a list": '[{"address":"10.0.0.1","port":80}]',
  "a text": '"10.0.0.1:80"',
  "cut off": registration("10.0.0.1").slice(0, -1),
  "two objects": registration("10.0.0.1") + registration("10.0.0.2"),
  "number beyond a double": '{"address":"10.0.0.1","port":8080,"x":1e999}',
  "raw line break in a string": '{"address":"10.0.0.1","port":8080,"x":"a\nb"}',
  "raw control bytes": '{"address":"10.0.0.1","port":8080,"x":"\x01\x02\x03"}',
  "the gate's own marks": "\x03",
  "the gate's own parts": "\x01service\x016.6.6.6:80\x01\x01tcp",
  "nested too deep": `{"address":"10.0.0.1","port":8080,"x":${"[".repeat(99)}${"]".repeat(99)}}`,
};

/** Keys below /services that are no services. */
const BAD_KEYS = [
  "/services/a b/x",
  "/services/a;b/x",
  "/services/a{/x",
  "/services/$host/x",
  '/services/"/x',
  "/services/é/x",
  "/services/-a/x",
  "/services/line\nbreak/x",
  `/services/${"n".repeat(64)}/x`,
  "/services/a./x",
  "/services/a..b/x",
];

const HOSTS = ["a.org", "A.org", "*.a.org", "b.a.org", "*.b.a.org", "localhost", "*.localhost"]
  .concat("api.localhost", "", "1.2.3.4", `${"a".repeat(63)}.${"b".repeat(63)}.org`, "*.org", "*");
const PATHS = [
  "/",
  "/api",
  "/api/",
  "/API",
  "/api/v1",
  "/apis",
  "/.well-known",
  "/.rollcall",
  "/a~b",
]
  .concat("/..", "/a//b", `/${"p".repeat(199)}`, "/error.json", "/%61pi");

dockerTest("the edge lets no value out of its place", async (t) => {
  await using edge = await Edge.build();
  await edge.startEtcd();
  await edge.start({ RELOAD_MIN_INTERVAL: "50ms" });
  const a = await edge.instance("a");
  await edge.vouch();
  await edge.put({ [KEY]: registration(a) });
  await eventually(async () => assert.equal((await edge.get()).body, "a"));

  await t.step("where no proxy is trusted, no client says who it is", async () => {
    const heard = "$http_x_forwarded_for,$http_x_forwarded_proto,$http_x_forwarded_host";
    const other = await edge.instance(`${heard},$http_forwarded`);
    await edge.put({ "/services/other/x": registration(other) });
    const { body } = await eventually(async () => {
      const answer = await edge.get("/", {
        host: "other.localhost:81",
        "x-forwarded-for": "6.6.6.6",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil",
        forwarded: "for=6.6.6.6",
      });
      assert.equal(answer.status, 200);
      return answer;
    });
    assert.match(body, /^[0-9.]+,http,other.localhost:81,$/);
    assert.ok(!body.includes("6.6.6.6"));
    await edge.delete("/services/other/x");
    await eventually(async () => assert.ok(!(await edge.config()).includes("upstream other")));
  });

  const servers = (config: string) => config.match(/^ *server [^{].*$/gm) ?? [];

  await t.step(
    "attacks are left out, named in the log, and everything else is served",
    async () => {
      // Beside a good one of the same host and service, whose form they would share.
      const attacks = Object.entries(ATTACKS).map((
        [name, value],
      ) => [`/services/service/test:${name.replaceAll(/[^\w]/g, "-")}:8080`, value]);
      await edge.put(Object.fromEntries(attacks));
      await edge.put(Object.fromEntries(BAD_KEYS.map((key) => [key, registration("10.0.0.9")])));
      await edge.put({ "/services/service/z": registration("2001:db8::5", { port: 1 }) });
      await edge.settled("attacks");
      const config = await edge.config();
      assert.deepEqual(servers(config).map((line) => line.trim()), [
        ...["10.255.255.254:8080", `${a}:8080`, "[2001:db8::5]:1"].map((server) =>
          `server ${server} weight=1 max_fails=1 fail_timeout=1s; ` +
          `server ${server} weight=1 max_fails=0 backup;`
        ),
      ]);
      assert.equal(config.match(/# left out: /g)?.length, attacks.length + BAD_KEYS.length);
      const logged = (await edge.events("instance_left_out")).map(({ key }) => key);
      for (const [key] of attacks) assert.ok(logged.includes(key), `${key}`);
      assert.ok(!config.includes("good.org"), "a good route of a bad instance");
      assert.deepEqual(await edge.warnings(), []);
      assert.equal((await edge.get()).body, "a");
    },
  );

  await t.step(
    "services that differ only in letter case: the one in lower case is served, else the first by key",
    async () => {
      await edge.put({
        "/services/CASE/x": registration("10.0.1.1"),
        "/services/Case/x": registration("10.0.1.2"),
      });
      await edge.settled("case");
      const before = await edge.config();
      assert.ok(before.includes("10.0.1.1:") && !before.includes("10.0.1.2:"));
      await edge.put({ "/services/case/x": registration("10.0.1.3") });
      await edge.settled("case2");
      const config = await edge.config();
      assert.ok(config.includes("10.0.1.3:"));
      assert.ok(!config.includes("10.0.1.1:") && !config.includes("10.0.1.2:"));
    },
  );

  await t.step("the longest names, and many services at once", async () => {
    const many = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(63, "n"));
    await edge.put(
      Object.fromEntries(many.map((name) => [`/services/${name}/x`, registration(a)])),
    );
    await edge.settled("many");
    assert.equal((await edge.get("/", { host: `${many[99]}.localhost` })).body, "a");
  });

  await t.step("one malformed value among a thousand good ones", async () => {
    for (let i = 0; i < 10; i++) {
      const hundred = Array.from({ length: 100 }, (_, j) => `10.1.${i}.${j}`);
      await edge.put(
        Object.fromEntries(
          hundred.map((ip) => [`/services/thousand/test:${ip}:8080`, registration(ip)]),
        ),
      );
    }
    await edge.put({ "/services/thousand/test:10.1.5.5-bad:8080": "{" });
    await edge.settled("thousand");
    const config = await edge.config();
    assert.equal(servers(config).filter((line) => line.includes("server 10.1.")).length, 1000);
    assert.match(
      config,
      /# left out: \/services\/thousand\/test:10\.1\.5\.5-bad:8080: the value is not a JSON object/,
    );
  });

  await t.step(
    "random registrations: nginx takes every file, and good ones are in it",
    async () => {
      const text = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constantFrom(";", "}", "\n", '"', "\\", "$x", "#"),
      );
      const field = fc.oneof(fc.jsonValue(), text, fc.integer(), fc.ipV4(), fc.ipV6());
      // What looks like a route more often than not: clashes, odd cases, and one field that is wrong.
      const host = fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...HOSTS) },
        { weight: 1, arbitrary: fc.domain() },
        { weight: 1, arbitrary: field },
      );
      const path = fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...PATHS) },
        { weight: 1, arbitrary: fc.webPath() },
        { weight: 1, arbitrary: field },
      );
      const routes = fc.array(
        fc.record({ host, path, strip: fc.oneof(fc.boolean(), field) }, {
          requiredKeys: ["host", "path"],
        }),
        { maxLength: 3 },
      );
      const balance = fc.oneof(
        fc.constantFrom("round_robin", "least_conn", "hash:client", "hash:header:X-Host"),
        text.map((name) => `hash:header:${name}`),
        field,
      );
      const record = (address: fc.Arbitrary<unknown>, wild: fc.Arbitrary<unknown>) =>
        fc.record({
          ...{ address, routes, balance },
          ...{ port: wild, weight: wild, protocol: wild },
        }, { requiredKeys: [] }).map((json) => JSON.stringify(json, null, 2));
      const value = fc.oneof(
        text,
        fc.jsonValue().map((json) => JSON.stringify(json)),
        record(field, field),
        fc.record({ address: fc.ipV4(), port: fc.nat(65535), routes, balance })
          .map((json) => JSON.stringify(json)),
      );
      const name = fc.oneof(fc.constantFrom("service", "other", "Other", "api", "*", "a."), text)
        .map((s) => s.replaceAll("/", "") || "x");
      const batch = fc.array(fc.tuple(name, value), { minLength: 100, maxLength: 100 });
      let round = 0;
      await fc.assert(
        fc.asyncProperty(batch, async (entries) => {
          const good = `10.2.${++round}.1`;
          await edge.put({
            ...Object.fromEntries(
              entries.map(([service, json], i) => [`/services/${service}/test:${i}:8080`, json]),
            ),
            [`/services/good-${round}/x`]: registration(good),
          });
          await edge.settled(`round-${round}`);
          assert.ok((await edge.config()).includes(`server ${good}:8080 `));
          assert.deepEqual(await edge.events("check_failed", "reload_failed"), []);
          assert.deepEqual(await edge.warnings(), []);
          await edge.delete("/services/", { prefix: true });
        }),
        { numRuns: 8, endOnFailure: true },
      );
    },
  );
});
