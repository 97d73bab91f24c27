// Which service gets which request: host names, paths, methods of balancing, connections that last. On real nginx.
import assert from "node:assert/strict";
import { dockerTest, eventually, run } from "../scripts/testing/docker.ts";
import { Edge, registration, route } from "./testing/edge.ts";
import { Streaming } from "./testing/streaming.ts";

const SHUTDOWN = 4; // s that an old worker may go on

dockerTest("the edge routes by host name and path", async (t) => {
  await using edge = await Edge.build();
  await edge.startEtcd();
  await edge.start({
    RELOAD_MIN_INTERVAL: "50ms",
    WORKER_SHUTDOWN_TIMEOUT: `${SHUTDOWN}s`,
    TRUSTED_PROXIES: "127.0.0.0/8",
  });
  const says = (name: string) => edge.instance(`${name} $request_uri $http_x_forwarded_prefix`);
  const [a, b, c] = await Promise.all([says("a"), says("b"), says("c")]);
  await edge.vouch();

  /** Registers one instance for each service; `routes` undefined: none at all, as an older version wrote. */
  const serve = async (
    marker: string,
    services: Readonly<Record<string, Record<string, unknown> & { readonly at: string }>>,
  ) => {
    await edge.delete("/services/", { prefix: true });
    await edge.put(Object.fromEntries(
      Object.entries(services).map(([name, { at, ...more }]) => [
        `/services/${name.replace(/@.*/, "")}/${name}`,
        registration(at, more),
      ]),
    ));
    await edge.settled(marker);
    assert.deepEqual(await edge.warnings(), []);
  };
  /** Who answers, and what it was asked for; the status when nobody does. */
  const ask = async (host: string, path = "/", headers: Record<string, string> = {}) => {
    const { status, body } = await edge.get(path, { host, ...headers });
    return status === 200 ? body.trim() : String(status);
  };
  /** The same, with a path that no client of ours would send as it stands. */
  const raw = (host: string, path: string) =>
    edge.exec(`curl -s --path-as-is -H 'Host: ${host}' 'http://127.0.0.1:8080${path}'`);

  await t.step("exact names, before the longest wildcard, before a shorter one", async () => {
    await serve("hosts", {
      shop: { at: a, routes: [route("www.example.org"), route("shop.example.com")] },
      wide: { at: b, routes: [route("*.example.org")] },
      deep: { at: c, routes: [route("*.eu.example.org")] },
    });
    assert.equal(await ask("www.example.org"), "a /");
    assert.equal(await ask("WWW.Example.ORG:8080"), "a /");
    assert.equal(await ask("shop.example.com"), "a /");
    assert.equal(await ask("x.example.org"), "b /");
    assert.equal(await ask("x.eu.example.org"), "c /");
    assert.equal(await ask("example.org"), "503", "a wildcard is not the name without it");
    assert.equal(await ask("shop.localhost"), "503", "who has routes has no default name");
  });

  await t.step("paths match whole segments, and the longest wins", async () => {
    await serve("paths", {
      web: { at: a, routes: [route("a.org")] },
      api: { at: b, routes: [route("a.org", "/api/")] },
      v2: { at: c, routes: [route("a.org", "/api/v2")] },
    });
    for (const path of ["/", "/apiary", "/API", "/x/api", "/api.json", "/api/../x"]) {
      assert.equal((await raw("a.org", path)).trim(), `a ${path}`);
    }
    for (const path of ["/api", "/api/", "/api?x=/api/v2", "/api/v20", "/%61pi/x", "//api"]) {
      assert.equal((await raw("a.org", path)).trim(), `b ${path}`);
    }
    for (const path of ["/api/v2", "/api/v2/x", "/api/x/../v2", "/api/v2/a%2Fb"]) {
      assert.equal((await raw("a.org", path)).trim(), `c ${path}`);
    }
  });

  await t.step("a stripped prefix is told in X-Forwarded-Prefix, and by nobody else", async () => {
    await serve("strip", {
      api: { at: b, routes: [route("a.org", "/api", true)] },
      keep: { at: c, routes: [route("a.org", "/keep")] },
    });
    assert.equal(await ask("a.org", "/api"), "b / /api");
    assert.equal(await ask("a.org", "/api/"), "b / /api");
    assert.equal(await ask("a.org", "/api/v1?x=1"), "b /v1?x=1 /api");
    assert.equal(await ask("a.org", "/apiary"), "503");
    const spoofed = { "x-forwarded-prefix": "/evil" };
    assert.equal(await ask("a.org", "/api/", spoofed), "b / /api");
    assert.equal(await ask("a.org", "/keep", spoofed), "c /keep");
  });

  await t.step("a path without a host is for every host that nobody names", async () => {
    await serve("any", {
      service: { at: a },
      api: { at: b, routes: [route("", "/api")] },
      shop: { at: c, routes: [route("shop.org", "/shop")] },
    });
    assert.equal(await ask("example.org", "/api"), "b /api");
    assert.equal(await ask("unknown.localhost", "/api"), "b /api");
    assert.equal(await ask("example.org", "/x"), "a /x");
    assert.equal(await ask("shop.org", "/shop"), "c /shop");
    assert.equal(
      await ask("shop.org", "/x"),
      "a /x",
      "DEFAULT_SERVICE, where nobody claims the path",
    );
    assert.equal(
      await ask("shop.org", "/api"),
      "a /api",
      "a host that is named has its own routes",
    );
    assert.equal(await ask("unknown.localhost", "/x"), "503", "not another service's answer");
  });

  await t.step("whoever claims every host and path goes before DEFAULT_SERVICE", async () => {
    await serve("all", { service: { at: a }, zoo: { at: b, routes: [route("")] } });
    assert.equal(await ask("example.org"), "b /");
    assert.equal(await ask("unknown.localhost"), "b /");
    assert.equal(await ask("service.localhost"), "a /");
  });

  await t.step(
    "of two that claim a route the first by name has it, and the log tells",
    async () => {
      await serve("clash", {
        web: { at: a, routes: [route("a.org"), route("web.org")] },
        api: { at: b, routes: [route("A.ORG"), route("shop.localhost"), route("*.localhost")] },
        shop: { at: c },
      });
      assert.equal(await ask("a.org"), "b /");
      assert.equal(await ask("web.org"), "a /");
      assert.equal(await ask("shop.localhost"), "b /", "a default name is a route as any other");
      assert.equal(await ask("x.localhost"), "b /");
      await eventually(async () => {
        const lost = (await edge.events("instance_left_out")).map((
          { key, reason },
        ) => [key, reason]);
        assert.deepEqual(lost, [
          ["route a.org/ of web", "the service api has it, as its name sorts first"],
          ["route shop.localhost/ of shop", "the service api has it, as its name sorts first"],
        ]);
      });
    },
  );

  await t.step("a service has the routes of all its instances", async () => {
    await serve("union", {
      "web@1": { at: a, routes: [route("old.org")] },
      "web@2": { at: a, routes: [route("new.org"), route("old.org", "/x", true)] },
      "web@3": { at: a, routes: undefined },
      "web@4": { at: a, routes: [route("weightless.org")], weight: 0 },
    });
    for (const host of ["old.org", "new.org", "web.localhost"]) {
      assert.equal(await ask(host), "a /", host);
    }
    assert.equal(await ask("old.org", "/x/y"), "a /y /x");
    assert.equal(await ask("weightless.org"), "503");
  });

  await t.step("nginx's own answers come on every host", async () => {
    await serve("own", { web: { at: a.replace(/\d+$/, "250"), routes: [route("a.org", "/web")] } });
    for (const path of ["/", "/web"]) {
      const { status, headers, body } = await edge.get(path, { host: "a.org" });
      assert.ok(status === 503 || status === 504 || status === 502, `${status}`);
      assert.equal(headers.get("content-type"), "application/problem+json");
      assert.equal(JSON.parse(body).status, status);
    }
    assert.equal(await ask("a.org", "/.rollcall/error.json"), "404", "not from outside");
  });

  await t.step("balances by what its first instance asks for", async () => {
    const three = (name: string, balance: string) => ({
      [`${name}@1`]: { at: a, balance },
      // Only where it tells something: with least_conn and nobody waiting, all requests would go there.
      [`${name}@2`]: { at: b, balance, weight: balance.startsWith("hash") ? 1000 : 1 },
      [`${name}@3`]: { at: c, balance: "round_robin" },
    });
    await serve("balance", {
      ...three("client", "hash:client"),
      ...three("user", "hash:header:X-User"),
      ...three("also", "hash:header:x-user"),
      ...three("least", "least_conn"),
    });
    const config = await edge.config();
    const upstream = (name: string) => config.match(`upstream ${name} \\{[^}]*\\}`)![0];
    assert.match(upstream("least"), /\n +least_conn;\n/);
    assert.match(upstream("client"), /hash \$remote_addr consistent;/);
    assert.match(upstream("client"), /weight=10 /, "160 entries for each unit of weight");
    const answers = async (host: string, headers: (i: number) => Record<string, string>) =>
      new Set(
        await Promise.all(
          Array.from({ length: 30 }, async (_, i) => (await ask(host, "/", headers(i)))[0]),
        ),
      );
    assert.equal((await answers("client.localhost", () => ({}))).size, 1);
    assert.equal((await answers("user.localhost", () => ({ "x-user": "7" }))).size, 1);
    assert.ok((await answers("user.localhost", (i) => ({ "x-user": `${i}` }))).size > 1);
    assert.equal((await answers("user.localhost", () => ({}))).size, 1, "by address then");
    assert.equal((await answers("least.localhost", () => ({}))).size, 3);
  });

  await t.step("as many instances as there may be, and the longest names", async () => {
    const label = "n".repeat(63);
    const hosts = Array.from(
      { length: 16 },
      (_, i) => `${label}.${label}.${label}.${i}`.padEnd(253, "x"),
    );
    const routes = hosts.map((host) => route(host, `/${"p".repeat(199)}`));
    const balance = `hash:header:${"h".repeat(64)}`;
    const many = Array.from(
      { length: 60 },
      (_, i) => [`m${i}`, { at: a, routes, balance }] as const,
    );
    await serve("many", Object.fromEntries(many));
    assert.equal(await ask(hosts[15]!, `/${"p".repeat(199)}/x`), `a /${"p".repeat(199)}/x`);
  });

  await t.step("believes what a trusted proxy says about the client", async () => {
    const headers = ["for", "proto", "host"].map((name) => `$http_x_forwarded_${name}`);
    const at = await edge.instance(`${headers.join(" ")} $http_x_real_ip $http_forwarded`);
    await serve("trusted", { service: { at } });
    const said = {
      ...{ "X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Proto": "https" },
      ...{ "X-Forwarded-Host": "www.example.org", "Forwarded": "for=203.0.113.9" },
    };
    const flags = Object.entries(said).map(([name, value]) => `-H '${name}: ${value}'`).join(" ");
    const answer = await edge.exec(`curl -s ${flags} 127.0.0.1:8080/trusted`);
    assert.equal(
      answer,
      "6.6.6.6, 203.0.113.9, 127.0.0.1 https www.example.org 203.0.113.9 for=203.0.113.9",
    );
    const { body } = await edge.get("/", { ...said, host: "a.org" });
    const gateway = await edge.gateway();
    assert.equal(body.trim(), `${gateway} http a.org ${gateway}`, "from anybody else");
    await eventually(async () => {
      const log = await edge.docker("logs", "edge");
      const line = log.split("\n").find((text) => text.includes('"uri":"/trusted"'));
      assert.equal(JSON.parse(line ?? "{}").client, "203.0.113.9");
    });
  });

  await t.step("a linter finds nothing wrong in what is rendered", async () => {
    await serve("lint", {
      service: { at: a, balance: "hash:client" },
      api: { at: b, balance: "least_conn", routes: [route("a.org", "/api", true)] },
      any: { at: c, balance: "hash:header:X-User", routes: [route("", "/z"), route("*.b.org")] },
    });
    const gixy = new URL("../scripts/gixy", import.meta.url).pathname;
    const file = await Deno.makeTempFile({ suffix: ".conf" });
    try {
      const config = await edge.config();
      await Deno.writeTextFile(file, config);
      await run(gixy, [file]);
      await Deno.writeTextFile(file, config.replace("server_tokens off", "server_tokens on"));
      await assert.rejects(run(gixy, [file]), /version_disclosure/);
    } finally {
      await Deno.remove(file);
    }
  });

  await t.step(
    "WebSockets and event streams live through a reload, until its timeout",
    async () => {
      await using streaming = await Streaming.beside(edge);
      const { address: at, port } = streaming;
      await serve("streams", { service: { at, port } });
      const url = `127.0.0.1:${edge.port}`;
      const socket = new WebSocket(`ws://${url}/`);
      const heard: string[] = [];
      const closed = new Promise<number>((resolve) => socket.onclose = () => resolve(Date.now()));
      socket.onmessage = ({ data }) => heard.push(String(data));
      await new Promise((resolve) => socket.onopen = resolve);
      const stop = new AbortController();
      const response = await fetch(`http://${url}/`, { signal: stop.signal });
      assert.equal(response.headers.get("content-type"), "text/event-stream");
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let events = "";
      const next = async () => {
        const { value, done } = await reader.read();
        assert.ok(!done, "the stream has ended");
        events += value;
      };
      await next();

      const reloaded = Date.now();
      await edge.settled("streams-reloaded");
      socket.send("after the reload");
      await eventually(() => assert.deepEqual(heard, ["echo after the reload"]));
      const before = events.length;
      while (events.length < before + 100) await next();
      const numbers = [...events.matchAll(/^data: (\d+)$/gm)].map(([, n]) => Number(n));
      assert.deepEqual(numbers, numbers.map((_, i) => i), "no event is lost or late");

      const lived = await closed - reloaded;
      assert.ok(lived >= SHUTDOWN * 1000 - 500, `only ${lived} ms`);
      stop.abort();
      await reader.cancel().catch(() => {});
    },
  );

  await t.step(
    "adds no header to an answer but the request's id, and tells no version",
    async () => {
      await serve("headers", { service: { at: a } });
      const { headers } = await edge.get();
      const names = [...headers.keys()].sort();
      const usual = ["connection", "content-length", "content-type", "date", "server"];
      assert.deepEqual(names, [...usual, "x-request-id"]);
      assert.equal(headers.get("server"), "nginx");
    },
  );

  await t.step("can write nowhere but its volume and its tmpfs", async () => {
    const kept = ["/var/lib/rollcall", "/run/rollcall", "/tmp", "/var/cache/nginx"];
    // Links and devices apart, what this user may write to, if only the file system let it.
    const found = await edge.exec(
      "find / -xdev -writable ! -type l ! -path '/proc/*' ! -path '/sys/*' ! -path '/dev/*' 2>/dev/null; true",
    );
    assert.deepEqual(found.split("\n").filter((path) => path !== "").sort(), kept.sort());
    for (const path of kept) await edge.exec(`touch ${path}/x && rm ${path}/x`);
    for (const path of ["/etc/nginx", "/usr/local/lib/rollcall", "/var/log", "/root", "/home"]) {
      await assert.rejects(edge.exec(`touch ${path}/x`), path);
    }
  });
});
