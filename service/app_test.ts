import assert from "node:assert/strict";
import { createApp } from "./app.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import type { Phase } from "./lifecycle.ts";
import { Metrics } from "./metrics.ts";

function create(options: { accessLog?: boolean; maxBodyBytes?: number; maxSlowMs?: number } = {}) {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const lifecycle: { phase: Phase; leaving: boolean } = { phase: "ready", leaving: false };
  const metrics = new Metrics({
    version: "1.2.3",
    instance: "web-1",
    ready: () => true,
    startedAt: new Date(),
  });
  const config = {
    instance: "web-1",
    maxBodyBytes: 100,
    maxSlowMs: 1000,
    accessLog: false,
    ...options,
  };
  const app = createApp({
    config,
    version: "1.2.3",
    lifecycle,
    metrics,
    clock,
    log: (level, event, fields) => lines.push({ level, event, ...fields }),
  });
  return { app, clock, lifecycle, lines, metrics };
}

/** Checks that an answer is a problem, with all that every problem has; returns its body. */
async function problemOf(response: Response, status: number, path: string) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal(response.headers.get("x-instance"), "web-1");
  const body = await response.json();
  assert.equal(body.type, "about:blank");
  assert.equal(body.status, status);
  assert.equal(body.instance, path);
  assert.equal(body.requestId, response.headers.get("x-request-id"));
  assert.ok(body.title.length > 0 && body.detail.length > 0);
  return body;
}

const echo = (body: BodyInit, headers: Record<string, string> = {}) => ({
  method: "POST",
  body,
  headers: { "content-type": "application/json", ...headers },
});

Deno.test("GET / tells who answered, as JSON", async () => {
  const { app, clock } = create();
  await app.request("/");
  await clock.advance(2500);
  const response = await app.request("/", { headers: { accept: "*/*" } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.deepEqual(await response.json(), {
    instance: "web-1",
    version: "1.2.3",
    uptime: 2.5,
    requests: 2,
  });
});

Deno.test("GET / does not count probes and scrapes among the requests served", async () => {
  const { app } = create();
  for (const path of ["/healthz", "/readyz", "/metrics", "/version"]) await app.request(path);
  assert.equal((await (await app.request("/")).json()).requests, 2);
});

Deno.test("GET / is a page for browsers and JSON for everyone else", async () => {
  const { app } = create();
  const html = "text/html; charset=UTF-8";
  const json = "application/json";
  const cases: [string | undefined, string][] = [
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", html],
    ["text/html", html],
    [undefined, json],
    ["*/*", json],
    ["application/json", json],
    ["application/json, text/html;q=0.5", json],
    ["text/html;q=0, */*", json],
    ["image/png", json],
    ["rubbish;;;,", json],
  ];
  for (const [accept, type] of cases) {
    const response = await app.request("/", accept === undefined ? {} : { headers: { accept } });
    assert.equal(response.headers.get("content-type"), type, `${accept}`);
    assert.equal(response.headers.get("vary"), "Accept");
    await response.body?.cancel();
  }
});

Deno.test("GET / as a page carries the nonce that its policy allows, a new one each time", async () => {
  const { app } = create();
  const nonces = new Set<string>();
  for (let time = 0; time < 2; time++) {
    const response = await app.request("/", { headers: { accept: "text/html" } });
    const policy = response.headers.get("content-security-policy")!;
    const nonce = /style-src 'nonce-([^']+)'/.exec(policy)![1]!;
    assert.ok((await response.text()).includes(`<style nonce="${nonce}">`));
    assert.match(policy, /default-src 'none'/);
    nonces.add(nonce);
  }
  assert.equal(nonces.size, 2);
});

Deno.test("every answer names the instance and has the protective headers", async () => {
  const { app } = create();
  for (const path of ["/", "/version", "/metrics", "/nowhere", "/slow"]) {
    const { headers } = await app.request(path);
    assert.equal(headers.get("x-instance"), "web-1", path);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("x-frame-options"), "DENY");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.match(headers.get("content-security-policy")!, /default-src 'none'/);
    assert.equal(headers.get("strict-transport-security"), null);
  }
});

Deno.test("request ids are taken over when sane, else made", async () => {
  const { app } = create();
  const idFor = async (id?: string) => {
    const response = await app.request("/version", id ? { headers: { "x-request-id": id } } : {});
    return response.headers.get("x-request-id")!;
  };
  assert.equal(await idFor("abc-123_X"), "abc-123_X");
  assert.equal(await idFor("a".repeat(128)), "a".repeat(128));
  const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
  for (const bad of [undefined, "a".repeat(129), "a b", 'a"b', "a;b", "ü"]) {
    assert.match(await idFor(bad), uuid, `${bad}`);
  }
});

Deno.test("HEAD answers as GET does, without the body", async () => {
  const { app } = create();
  for (const path of ["/version", "/healthz", "/readyz", "/nowhere"]) {
    const get = await app.request(path);
    const head = await app.request(path, { method: "HEAD" });
    assert.equal(head.status, get.status, path);
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"));
    assert.equal(await head.text(), "");
    const length = (await get.arrayBuffer()).byteLength;
    assert.equal(head.headers.get("content-length"), String(length));
  }
});

Deno.test("GET /version and /healthz", async () => {
  const { app, lifecycle } = create();
  assert.deepEqual(await (await app.request("/version")).json(), {
    version: "1.2.3",
    deno: Deno.version.deno,
  });
  lifecycle.phase = "draining";
  assert.deepEqual(await (await app.request("/healthz")).json(), { status: "ok" });
});

Deno.test("GET /readyz is 503 in every phase but ready", async () => {
  const { app, lifecycle } = create();
  assert.equal((await app.request("/readyz")).status, 200);
  for (const phase of ["starting", "draining", "stopping"] as const) {
    lifecycle.phase = phase;
    const body = await problemOf(await app.request("/readyz"), 503, "/readyz");
    assert.match(body.detail, new RegExp(phase));
  }
});

Deno.test("a leaving instance serves on and ends the connection with each answer", async () => {
  const { app, lifecycle } = create();
  assert.equal((await app.request("/")).headers.get("connection"), null);
  lifecycle.leaving = true;
  for (const path of ["/", "/version", "/readyz", "/nowhere"]) {
    assert.equal((await app.request(path)).headers.get("connection"), "close", path);
  }
  assert.equal((await app.request("/")).status, 200);
});

Deno.test("a request that was waiting when the instance began to leave ends its connection", async () => {
  const { app, clock, lifecycle } = create();
  const answer = app.request("/slow?ms=500");
  await settle();
  lifecycle.leaving = true;
  await clock.advance(500);
  assert.equal((await answer).headers.get("connection"), "close");
});

Deno.test("GET /metrics counts by route, not by path", async () => {
  const { app } = create();
  for (const path of ["/slow?ms=0", "/slow?ms=x", "/a", "/b", "/c"]) await app.request(path);
  await app.request("/echo", { method: "DELETE" });
  const response = await app.request("/metrics");
  assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  assert.deepEqual(text.split("\n").filter((line) => line.startsWith("http_requests_total")), [
    'http_requests_total{method="GET",route="/slow",status="200"} 1',
    'http_requests_total{method="GET",route="/slow",status="400"} 1',
    'http_requests_total{method="GET",route="none",status="404"} 3',
    'http_requests_total{method="DELETE",route="none",status="405"} 1',
  ]);
  assert.match(text, /^http_requests_in_flight 1$/m);
});

Deno.test("POST /echo gives back the very bytes", async () => {
  const { app } = create();
  const texts = ['{"a":1}', '{ "a" : 12345678901234567890 }', "null", '"ü"', "[1.0,\n2e2]"];
  for (const text of texts) {
    const response = await app.request("/echo", echo(text));
    assert.equal(response.status, 200, text);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(await response.text(), text);
  }
});

Deno.test("POST /echo takes JSON by any of its names", async () => {
  const { app } = create();
  for (
    const type of ["application/json; charset=utf-8", "Application/JSON", "application/x+json"]
  ) {
    assert.equal(
      (await app.request("/echo", echo("1", { "content-type": type }))).status,
      200,
      type,
    );
  }
});

Deno.test("POST /echo answers 415 to what is not JSON or is encoded", async () => {
  const { app } = create();
  for (const type of ["text/plain", "application/jsonp", "multipart/form-data", "json"]) {
    const response = await app.request("/echo", echo("1", { "content-type": type }));
    const body = await problemOf(response, 415, "/echo");
    assert.ok(body.detail.includes(type), body.detail);
    assert.equal(response.headers.get("accept"), "application/json");
  }
  const untyped = await app.request("/echo", { method: "POST", body: new Uint8Array([49]) });
  await problemOf(untyped, 415, "/echo");
  await problemOf(
    await app.request("/echo", echo("1", { "content-encoding": "gzip" })),
    415,
    "/echo",
  );
});

Deno.test("POST /echo answers 400 to a body that is not JSON, and says why", async () => {
  const { app } = create();
  for (const text of ["", "{", "{a:1}", "undefined", "1 2"]) {
    const body = await problemOf(await app.request("/echo", echo(text)), 400, "/echo");
    assert.match(body.detail, /The body is not JSON: \S/, text);
  }
  const notUtf8 = echo(new Uint8Array([0x22, 0xff, 0x22]));
  const body = await problemOf(await app.request("/echo", notUtf8), 400, "/echo");
  assert.match(body.detail, /Cannot read the body/);
});

Deno.test("POST /echo answers 413 beyond the limit, announced or not", async () => {
  const { app } = create({ maxBodyBytes: 10 });
  const exact = "1".repeat(10);
  const long = "1".repeat(11);
  const chunked = (text: string) => echo(new Blob([text]).stream());
  assert.equal((await app.request("/echo", echo(exact))).status, 200);
  assert.equal((await app.request("/echo", chunked(exact))).status, 200);
  for (const request of [echo(long), echo(long, { "content-length": "11" }), chunked(long)]) {
    const response = await app.request("/echo", request);
    const body = await problemOf(response, 413, "/echo");
    assert.match(body.detail, /10 bytes/);
    assert.equal(response.headers.get("connection"), null, "little is left: the connection stays");
  }
});

Deno.test("a body that is far too long costs its connection, whatever the route", async () => {
  const { app } = create();
  for (const [path, status] of [["/echo", 413], ["/nowhere", 404], ["/", 405]] as const) {
    const mebibytes = Array.from({ length: 10 }, () => new Uint8Array(1024 * 1024));
    const body = ReadableStream.from(mebibytes);
    const response = await app.request(path, echo(body));
    assert.equal(response.status, status);
    assert.equal(response.headers.get("connection"), "close", path);
  }
});

Deno.test("GET /slow answers after the time asked for", async () => {
  const { app, clock, metrics } = create();
  const answer = Promise.resolve(app.request("/slow?ms=1000"));
  let answered = false;
  answer.then(() => answered = true);
  await settle();
  assert.equal(metrics.inFlight, 1);
  await clock.advance(999);
  assert.equal(answered, false);
  await clock.advance(1);
  assert.deepEqual(await (await answer).json(), { ms: 1000 });
  assert.equal(metrics.inFlight, 0);
});

Deno.test("GET /slow stops waiting when the client has gone", async () => {
  const { app, metrics } = create();
  const client = new AbortController();
  const answer = app.request("/slow?ms=1000", { signal: client.signal });
  await settle();
  client.abort();
  await answer;
  assert.equal(metrics.inFlight, 0);
});

Deno.test("GET /slow answers 400 to anything but one number within the bound", async () => {
  const { app } = create();
  for (
    const query of ["", "?ms=", "?ms=-1", "?ms=1.5", "?ms=1001", "?ms=1e2", "?ms=0x1", "?ms=1&ms=2"]
  ) {
    const body = await problemOf(await app.request(`/slow${query}`), 400, "/slow");
    assert.deepEqual(body.errors, [{
      parameter: "ms",
      detail: "give one whole number of milliseconds from 0 to 1000",
    }], query);
  }
});

Deno.test("unknown paths are 404", async () => {
  const { app } = create();
  for (const path of ["/nowhere", "/healthz/", "//", "/%zz", "/%3Cscript%3E"]) {
    assert.equal((await app.request(path)).status, 404, path);
  }
  const body = await problemOf(await app.request("/nowhere"), 404, "/nowhere");
  assert.equal(body.title, "Not Found");
});

Deno.test("wrong methods are 405 and name the right ones", async () => {
  const { app } = create();
  for (
    const [method, path, allow] of [
      ["DELETE", "/", "GET, HEAD"],
      ["POST", "/readyz", "GET, HEAD"],
      ["GET", "/echo", "POST"],
      ["HEAD", "/echo", "POST"],
      ["OPTIONS", "/echo", "POST"],
      ["BREW", "/slow", "GET, HEAD"],
    ] as const
  ) {
    const response = await app.request(path, { method });
    assert.equal(response.status, 405, `${method} ${path}`);
    assert.equal(response.headers.get("allow"), allow);
    if (method !== "HEAD") await problemOf(response, 405, path);
  }
});

Deno.test("a failing handler is a 500 that tells nothing, and a log line that tells all", async () => {
  const { app, lines, metrics } = create();
  app.get("/broken", () => {
    throw new Error("secret");
  });
  const response = await app.request("/broken");
  const body = await problemOf(response, 500, "/broken");
  assert.doesNotMatch(JSON.stringify(body), /secret/);
  assert.equal(lines.length, 1);
  const { level, event, error, requestId, path } = lines[0]!;
  assert.deepEqual({ level, event, error, requestId, path }, {
    level: "error",
    event: "handler failed",
    error: "secret",
    requestId: body.requestId,
    path: "/broken",
  });
  assert.equal(metrics.inFlight, 0);
});

Deno.test("the access log has a line per request, without the query", async () => {
  const { app, clock, lines } = create({ accessLog: true });
  const answer = app.request("/slow?ms=5&token=secret", { headers: { "x-request-id": "r1" } });
  await settle();
  await clock.advance(5);
  await answer;
  assert.deepEqual(lines, [{
    level: "info",
    event: "request",
    instance: "web-1",
    requestId: "r1",
    method: "GET",
    path: "/slow",
    status: 200,
    ms: 5,
  }]);
});

Deno.test("the access log is off unless asked for", async () => {
  const { app, lines } = create();
  await app.request("/");
  assert.deepEqual(lines, []);
});
