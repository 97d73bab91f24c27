// Which event led to which change, as the log tells it.
import assert from "node:assert/strict";
import { MemoryEngine } from "../docker/memory_engine.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import { FakeClock } from "../fake_clock.ts";
import { createLog } from "../log.ts";
import { Origins } from "./origins.ts";
import { Registrator } from "./registrator.ts";

const ID = "0123456789abcdef".repeat(4);

async function scene() {
  const clock = new FakeClock();
  const engine = new MemoryEngine(clock.now);
  const registry = new MemoryRegistry(clock.now);
  const origins = new Origins(clock.now);
  const lines: Array<Record<string, unknown>> = [];
  const answers = { ok: true };
  const stop = new AbortController();
  const registrator = new Registrator({
    engine: origins.engine(engine),
    ...{ registry, origins, probe: () => Promise.resolve({ ok: answers.ok, detail: "said" }) },
    ...{ host: "h", networks: ["edge"], explicit: false, tags: [], ttl: 15, resync: 30_000 },
    ...{ version: "1", wait: clock.wait, now: clock.now },
    log: createLog("info", (line) => lines.push(JSON.parse(line))),
  });
  const running = registrator.run(stop.signal);
  await clock.move(5_000);
  const start = (labels: Record<string, string> = {}) =>
    engine.start(
      sampleContainer({ id: ID, labels, networks: [attached("edge", "172.20.0.5")] }),
    );
  const end = async () => {
    stop.abort();
    await clock.move(5_000);
    await running;
  };
  const last = (event: string) => lines.filter((line) => line.event === event).at(-1);
  return { clock, engine, registry, answers, start, end, last };
}

Deno.test("Origins give a change its id, Docker's event, and the ms to the decision and to etcd", async () => {
  const { clock, engine, registry, answers, start, end, last } = await scene();
  answers.ok = false;
  start();
  const began = clock.now();
  await clock.move(1_000);
  answers.ok = true;
  await clock.move(2_000);
  const came = last("registered")!;
  const [{ value } = { value: "" }] = (await registry.list("/services/")).values();
  const { since } = JSON.parse(value);
  assert.equal(came.change, `0123456789ab-${Date.parse(since)}`);
  assert.deepEqual([came.docker, came.docker_at], ["start", new Date(began).toISOString()]);
  assert.equal(came.decided_ms, Date.parse(since) - began);
  assert.ok(Number(came.written_ms) >= Number(came.decided_ms));
  assert.equal(came.revision, await registry.revision());

  engine.kill(ID, 15);
  await clock.move(10);
  const left = last("deregistered")!;
  assert.match(String(left.change), /^0123456789ab-\d{13}$/);
  assert.notEqual(left.change, came.change);
  assert.deepEqual([left.docker, left.decided_ms], ["SIGTERM", 0]);
  engine.die(ID);
  await clock.move(1_000);
  await end();
});

Deno.test("Origins name no event where none led to it: a probe that fails", async () => {
  const { clock, answers, start, end, last } = await scene();
  start({ SERVICE_CHECK_TCP: "true", SERVICE_CHECK_INTERVAL: "1s" });
  await clock.move(2_000);
  answers.ok = false;
  await clock.move(10_000);
  const { change, docker, revision } = last("deregistered")!;
  assert.match(String(change), /^0123456789ab-/);
  assert.equal(docker, undefined);
  assert.ok(Number(revision) > 0);
  await end();
});

Deno.test("Origins give who dies without a word the id of its coming", async () => {
  const { clock, engine, start, end, last } = await scene();
  start();
  await clock.move(2_000);
  engine.die(ID);
  await clock.move(1_000);
  assert.equal(last("deregistered")!.change, last("registered")!.change);
  assert.equal(last("deregistered")!.docker, undefined); // decided before it: its `since` is of its coming
  await end();
});
