// Each way of not getting traffic has a cause and a remedy.
import assert from "node:assert/strict";
import { sampleContainer } from "../docker/sample_container.ts";
import type { Container } from "../instance.ts";
import { instancesOf } from "../registrator/instances_of.ts";
import { readView } from "./context.ts";
import { type Case, explain } from "./explanation.ts";
import type { Condition } from "./inspected.ts";
import { NOW, SampleRegistry, SINCE } from "./sample.ts";
import { matching } from "./view.ts";

const rules = { host: "h", networks: ["shop_edge"], explicit: false, tags: [] };
const running: Condition = {
  ...{ status: "running", exitCode: 0, outOfMemory: false, error: "", finishedAt: "", restarts: 0 },
  healthcheck: undefined,
};
const refused = { ok: false, detail: "connection refused: does it listen?" };
const networks = [{ name: "shop_edge", address: "172.20.0.5", endpoint: "e" }];

/** The first problem of a container called web-c1, as cause and remedy, and whether it is in rotation. */
async function told(
  change: Partial<Container>,
  more: Partial<Case> & { readonly registry?: SampleRegistry } = {},
): Promise<{ cause: string; remedy: string; inRotation: boolean; count: number }> {
  const registry = more.registry ?? await up().vouch();
  const view = await readView(registry);
  const container = sampleContainer({ networks, ...change });
  const { problems, inRotation } = explain({
    ...{ name: "web-c1", container, condition: running, rules, view, openPorts: [] },
    reading: instancesOf(container, rules),
    rows: matching(view.rows, "web-c1"),
    findings: new Map(),
    ...{ live: undefined, now: NOW },
    ...more,
  });
  const [{ cause, remedy } = { cause: "", remedy: "" }] = problems;
  return { cause, remedy, inRotation, count: problems.length };
}

function up(): SampleRegistry {
  return new SampleRegistry().instance("nginx", "web-c1", "up");
}

function inState(
  ...args: [
    state: "starting" | "unhealthy" | "paused" | "draining" | "rejected",
    more?: { reason?: string; byHand?: true },
  ]
) {
  return new SampleRegistry().instance("nginx", "web-c1", ...args).vouch();
}

Deno.test("explain() finds nothing wrong with who is in rotation", async () => {
  assert.deepEqual(await told({}), { cause: "", remedy: "", inRotation: true, count: 0 });
});

Deno.test("explain() names a wrong port: no number of a port, and one where another answers", async () => {
  const label = await told({ labels: { SERVICE_99999_NAME: "x" } });
  assert.match(label.cause, /SERVICE_99999_NAME.*1 to 65535/);
  assert.match(label.remedy, /Mend the label/);
  const registry = await inState("starting");
  const findings = new Map([["h:web-c1:80", refused]]);
  const other = await told({}, { registry, findings, openPorts: [3000] });
  assert.match(
    other.cause,
    /Wrong port: nothing listens on 172\.20\.0\.5:80, but port 3000 answers/,
  );
  assert.match(other.remedy, /SERVICE_3000_NAME/);
  assert.equal(other.inRotation, false);
});

Deno.test("explain() names a network that is not shared, and how to join it", async () => {
  const { cause, remedy } = await told({
    networks: [{ name: "bridge", address: "1.2.3.4", endpoint: "e" }],
  });
  assert.match(cause, /on no network that nginx shares \(it is on: bridge\)/);
  assert.match(remedy, /docker network connect shop_edge web-c1/);
});

Deno.test("explain() names an application that listens on 127.0.0.1 only, also behind a HEALTHCHECK that passes", async () => {
  const findings = new Map([["h:web-c1:80", refused]]);
  const plain = await told({}, { registry: await inState("starting"), findings });
  assert.match(plain.cause, /127\.0\.0\.1 only/);
  assert.match(plain.remedy, /0\.0\.0\.0:80 .*0100007F:0050/);
  const checked = await told({ health: "healthy" }, { findings });
  assert.match(checked.cause, /127\.0\.0\.1 only.*HEALTHCHECK passes all the same/);
  assert.equal(checked.inRotation, true);
});

Deno.test("explain() names what a failing HEALTHCHECK said", async () => {
  const healthcheck = { test: "curl localhost", said: "no database", exitCode: 7 };
  const condition = { ...running, healthcheck };
  const failing = await told({ health: "unhealthy" }, {
    registry: await inState("unhealthy"),
    condition,
  });
  assert.match(failing.cause, /HEALTHCHECK fails: `curl localhost` \(exit code 7, 'no database'\)/);
  assert.match(failing.remedy, /docker exec web-c1 curl localhost/);
  const early = { ...running, healthcheck: { ...healthcheck, exitCode: undefined } };
  const starting = await told({ health: "starting" }, {
    registry: await inState("starting"),
    condition: early,
  });
  assert.match(starting.cause, /has not passed yet.*has not run yet/);
});

Deno.test("explain() names two services on one route", async () => {
  const routes = [{ host: "shop.example", path: "/" }];
  const registry = await up().instance("blue", "blue-1", "up", { routes }).vouch();
  const { cause, remedy } = await told({ labels: { SERVICE_HOST: "shop.example" } }, { registry });
  assert.match(
    cause,
    /Two services on one route: nginx and blue both want shop\.example\/; blue has it/,
  );
  assert.match(remedy, /another SERVICE_HOST/);
});

Deno.test("explain() tells paused, drained by hand, leaving, weightless and keyless ones how to come back", async () => {
  const of = async (...args: Parameters<typeof inState>) =>
    await told({}, { registry: await inState(...args) });
  assert.equal((await of("paused")).remedy, "docker unpause web-c1");
  const byHand = await of("draining", {
    byHand: true,
    reason: "Drained by hand. rollcall undrain",
  });
  assert.equal(byHand.remedy, "rollcall undrain web-c1");
  assert.match(
    (await of("draining", { reason: "It was sent SIGTERM." })).cause,
    /leaving: It was sent/,
  );
  const taken = await of("rejected", {
    reason: "The container a has the same SERVICE_ID 'x'. Give each its own.",
  });
  assert.equal(taken.remedy, "Give each its own.");
  const weightless = await new SampleRegistry().instance("nginx", "web-c1", "up", { weight: 0 })
    .vouch();
  assert.match((await told({}, { registry: weightless })).cause, /SERVICE_WEIGHT is 0/);
  const keyless = await up().vouch();
  keyless.delete("/services/nginx/h:web-c1:80");
  assert.match((await told({}, { registry: keyless })).cause, /key is not there/);
});

Deno.test("explain() tells of containers that do not run, do not want to, are unknown, or have no registrator", async () => {
  const condition = { ...running, status: "exited", exitCode: 137, outOfMemory: true };
  const ended = await told({ running: false }, { condition });
  assert.match(ended.cause, /does not run: exited \(exit code 137, out of memory\)/);
  assert.match(ended.remedy, /docker logs/);
  assert.match((await told({ labels: { SERVICE_IGNORE: "true" } })).cause, /SERVICE_IGNORE/);
  assert.match((await told({ exposed: [] })).cause, /exposes no port/);
  const explicit = {
    rules: { ...rules, explicit: true },
    reading: { instances: [], rejections: [] },
  };
  assert.match((await told({}, explicit)).cause, /ROLLCALL_EXPLICIT/);
  assert.match((await told({}, { registry: up() })).cause, /No registrator vouches for h/);
  const unknown = await told({}, { container: undefined, rows: [] });
  assert.match(unknown.cause, /Docker has no container called web-c1/);
  const elsewhere = await new SampleRegistry().instance("nginx", "web-c1", "up", { host: "h2" })
    .vouch();
  assert.match((await told({}, { registry: elsewhere, container: undefined })).cause, /runs on h2/);
});

Deno.test("explain() tells of a path that does not answer as it should", async () => {
  const findings = new Map([["h:web-c1:80", { ok: false, detail: "status is 404" }]]);
  const registry = await inState("starting");
  const { cause } = await told({ labels: { SERVICE_CHECK_HTTP: "/ready" } }, {
    registry,
    findings,
  });
  assert.equal(cause, "SERVICE_CHECK_HTTP asks for /ready, and it answers: status is 404.");
});

Deno.test("explain() tells that nginx has left it out, does not have it, or is about to", async () => {
  const live = {
    ...{ generation: "a".repeat(64), at: NOW, newer: false },
    addresses: new Set<string>(),
    leftOut: new Map<string, string>(),
  };
  const address = "172.20.0.5:80";
  assert.equal((await told({}, { live: { ...live, addresses: new Set([address]) } })).count, 0);
  const missing = await told({}, { live });
  assert.match(missing.cause, /nginx's live configuration does not have it\.$/);
  assert.match(missing.remedy, /docker compose logs --tail 20 nginx/);
  const newer = await told({}, { live: { ...live, newer: true } });
  assert.match(newer.cause, /a newer one waits to be loaded/);
  const leftOut = new Map([["/services/nginx/h:web-c1:80", "the service name is not valid"]]);
  const out = await told({}, { live: { ...live, leftOut } });
  assert.match(out.cause, /^nginx has left it out: the service name is not valid\.$/);
  const soon = await told({}, { live, now: Date.parse(SINCE) + 500 });
  assert.match(soon.cause, /about to take it/);
});
