// judge(): contract 3, in order of weight.
import assert from "node:assert/strict";
import { sampleContainer } from "../docker/sample_container.ts";
import type { Check, Container, Instance } from "../instance.ts";
import { type Case, judge } from "./judge.ts";

const HTTP: Check = { kind: "http", path: "/readyz", interval: 10_000, timeout: 1_000 };
const TCP: Check = { kind: "tcp", interval: 0, timeout: 1_000 };
const PASSED = { passed: true, last: { detail: "connected" } };
const FAILED = { passed: false, last: { detail: "connection refused" } };

function verdict(
  check: Check,
  container: Partial<Container> = {},
  rest: Partial<Pick<Case, "leaving" | "probing" | "before">> = {},
) {
  const instance: Instance = {
    id: "h:web:80",
    service: "web",
    address: "172.20.0.5",
    port: 80,
    protocol: "tcp",
    weight: 1,
    tags: [],
    attrs: {},
    routes: [],
    balance: "round_robin",
    check,
  };
  return judge({
    container: sampleContainer(container),
    instance,
    leaving: undefined,
    probing: undefined,
    before: undefined,
    ...rest,
  });
}

Deno.test("judge() lets leaving beat paused beat unhealthy beat what admits", () => {
  const all = { paused: true, health: "unhealthy" } as const;
  const up = { probing: PASSED };
  assert.deepEqual(verdict(TCP, all, { ...up, leaving: "It was told to." }), {
    state: "draining",
    reason: "It was told to.",
  });
  assert.equal(verdict(TCP, all, up).state, "paused");
  assert.equal(verdict(TCP, { health: "unhealthy" }, up).state, "unhealthy");
  assert.equal(verdict(TCP, {}, up).state, "up");
});

Deno.test("judge() admits by HEALTHCHECK when that is the check", () => {
  const docker: Check = { kind: "docker" };
  assert.equal(verdict(docker, { health: "starting" }).state, "starting");
  assert.equal(verdict(docker, { health: "healthy" }).state, "up");
  assert.equal(verdict(docker, { health: "unhealthy" }).state, "unhealthy");
});

Deno.test("judge() lets an explicit check admit before HEALTHCHECK does, and HEALTHCHECK take out", () => {
  assert.equal(verdict(HTTP, { health: "starting" }, { probing: PASSED }).state, "up");
  assert.equal(verdict(HTTP, { health: "unhealthy" }, { probing: PASSED }).state, "unhealthy");
});

Deno.test("judge() says what was asked and what came back", () => {
  assert.deepEqual(verdict(HTTP, {}, { probing: FAILED }), {
    state: "starting",
    reason: "GET http://172.20.0.5:80/readyz: connection refused.",
  });
  assert.equal(verdict(TCP).reason, "172.20.0.5:80 has not answered yet.");
  assert.equal(verdict(TCP, {}, { probing: PASSED }).reason, "172.20.0.5:80 answers.");
});

Deno.test("judge() calls one that was up unhealthy, and one that never was starting", () => {
  for (const before of ["up", "unhealthy"] as const) {
    assert.equal(verdict(TCP, {}, { probing: FAILED, before }).state, "unhealthy");
  }
  for (const before of [undefined, "starting", "draining", "paused"] as const) {
    assert.equal(verdict(TCP, {}, { probing: FAILED, before }).state, "starting");
  }
});

Deno.test("judge() has UDP up as long as it runs", () => {
  assert.equal(verdict({ kind: "none" }).state, "up");
  assert.equal(verdict({ kind: "none" }, { paused: true }).state, "paused");
});
