// What admits an instance (contract 3): the precedence, and times.
import assert from "node:assert/strict";
import type { Check, Health } from "../instance.ts";
import { checkNote, checkOf } from "./check_of.ts";

const TCP = { number: 80, protocol: "tcp" } as const;
const UDP = { number: 53, protocol: "udp" } as const;
const check = (metadata: Record<string, string>, health: Health = "none"): Check =>
  checkOf(new Map(Object.entries(metadata)), TCP, health);

Deno.test("checkOf() prefers HTTP to TCP to HEALTHCHECK to one TCP connect", () => {
  assert.deepEqual(check({ check_http: "/readyz", check_tcp: "true" }, "healthy"), {
    kind: "http",
    path: "/readyz",
    interval: 10_000,
    timeout: 1_000,
  });
  assert.deepEqual(check({ check_tcp: "true" }, "starting"), {
    kind: "tcp",
    interval: 10_000,
    timeout: 1_000,
  });
  for (const health of ["starting", "healthy", "unhealthy"] as const) {
    assert.deepEqual(check({}, health), { kind: "docker" });
  }
  assert.deepEqual(check({}), { kind: "tcp", interval: 0, timeout: 1_000 });
  assert.deepEqual(check({ check_tcp: "false" }), { kind: "tcp", interval: 0, timeout: 1_000 });
});

Deno.test("checkOf() never probes UDP, which has no handshake, whatever is asked for the other ports", () => {
  const metadata = new Map([["check_http", "/readyz"], ["check_tcp", "true"]]);
  assert.deepEqual(checkOf(metadata, UDP, "none"), { kind: "none" });
  assert.deepEqual(checkOf(metadata, UDP, "healthy"), { kind: "docker" });
});

Deno.test("checkOf() reads registrator's durations", () => {
  const interval = (text: string) => {
    const found = check({ check_tcp: "1", check_interval: text, check_timeout: "2s" });
    return found.kind === "tcp" && [found.interval, found.timeout];
  };
  const texts = ["500ms", "15s", "2m", "5", "60m", "1h", "1m30s", "1.5s", "0.25s500ms"];
  assert.deepEqual(texts.map(interval), [
    [500, 2_000],
    [15_000, 2_000],
    [120_000, 2_000],
    [5_000, 2_000],
    [3_600_000, 2_000],
    [3_600_000, 2_000],
    [90_000, 2_000],
    [1_500, 2_000],
    [750, 2_000],
  ]);
});

Deno.test("checkOf() rejects times that are none, too short or too long", () => {
  for (
    const text of [
      "",
      "x",
      "0",
      "9ms",
      "-1s",
      "1.s",
      "61m",
      "1h1ms",
      "99999999",
      "10s 5",
      "1s-1s",
      "s",
    ]
  ) {
    assert.throws(
      () => check({ check_interval: text }),
      /SERVICE_CHECK_INTERVAL '.*' is not a time/,
      text,
    );
  }
  assert.throws(() => check({ check_timeout: "61s" }), /SERVICE_CHECK_TIMEOUT '61s' is not a time/);
});

Deno.test("checkOf() rejects what is no path", () => {
  for (
    const path of ["", "readyz", "/a b", "/a\r\nHost: x", "http://x/", "/ä", `/${"a".repeat(1001)}`]
  ) {
    assert.throws(() => check({ check_http: path }), /SERVICE_CHECK_HTTP '.*' is not a path/, path);
  }
});

Deno.test("checkOf() takes the statuses that are expected, and GET or HEAD", () => {
  const http = (metadata: Record<string, string>) => {
    const { kind: _, interval: _i, timeout: _t, ...rest } = check({
      check_http: "/",
      ...metadata,
    }) as Extract<Check, { kind: "http" }>;
    return rest;
  };
  assert.deepEqual(http({ check_http_status: "200" }), { path: "/", statuses: [[200, 200]] });
  assert.deepEqual(http({ check_http_status: "200-299, 304" }), {
    path: "/",
    statuses: [[200, 299], [304, 304]],
  });
  assert.deepEqual(http({ check_http_method: "head" }), { path: "/", method: "HEAD" });
  assert.deepEqual(http({ check_http_method: "GET" }), { path: "/" });
});

Deno.test("checkOf() rejects statuses and methods that are none", () => {
  for (const text of ["ok", "2xx", "299-200", "200,", "600", "99", "200-", "-200", "200;300"]) {
    assert.throws(
      () => check({ check_http: "/", check_http_status: text }),
      /SERVICE_CHECK_HTTP_STATUS '.*' is not a list of statuses/,
      text,
    );
  }
  assert.throws(
    () => check({ check_http: "/", check_http_method: "POST" }),
    /SERVICE_CHECK_HTTP_METHOD 'POST' is not GET or HEAD/,
  );
});

Deno.test("checkOf() replaces registrator's other checks, and checkNote() says by what and why", () => {
  const note = (metadata: Record<string, string>) =>
    checkNote(new Map(Object.entries(metadata)), TCP);
  const repeated = { kind: "tcp", interval: 10_000, timeout: 1_000 };
  const once = { kind: "tcp", interval: 0, timeout: 1_000 };
  for (const key of ["check_https", "check_grpc"]) {
    assert.deepEqual(check({ [key]: "/x" }, "healthy"), repeated, key);
    assert.match(note({ [key]: "/x" })!, /^SERVICE_CHECK_(HTTPS|GRPC) is not done: .* TCP connect/);
  }
  for (const key of ["check_cmd", "check_script", "check_docker", "check_ttl"]) {
    assert.deepEqual(check({ [key]: "curl x" }), once, key);
    assert.deepEqual(check({ [key]: "curl x" }, "healthy"), { kind: "docker" }, key);
    assert.match(note({ [key]: "curl x" })!, /^SERVICE_CHECK_[A-Z]+ is not done: .* HEALTHCHECK/);
  }
  // As in registrator, SERVICE_CHECK_HTTP beats all of them: nothing is replaced then.
  assert.equal(note({ check_http: "/", check_script: "x" }), undefined);
  assert.equal(note({ check_tcp: "true" }), undefined);
  assert.equal(note({}), undefined);
});
