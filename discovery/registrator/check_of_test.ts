// What admits an instance (contract 3): the precedence, and times.
import assert from "node:assert/strict";
import type { Check, Health } from "../instance.ts";
import { checkOf } from "./check_of.ts";

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
  assert.deepEqual(["500ms", "15s", "2m", "5", "60m"].map(interval), [
    [500, 2_000],
    [15_000, 2_000],
    [120_000, 2_000],
    [5_000, 2_000],
    [3_600_000, 2_000],
  ]);
});

Deno.test("checkOf() rejects times that are none, too short or too long", () => {
  for (const text of ["", "x", "0", "9ms", "-1s", "1.5s", "61m", "1h", "99999999", "10s\n"]) {
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
