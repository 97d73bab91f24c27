// What a running registrator counts, against the twins of Docker and etcd.
import assert from "node:assert/strict";
import { MemoryEngine } from "../docker/memory_engine.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import { FakeClock } from "../fake_clock.ts";
import { createLog } from "../log.ts";
import { Registrator } from "../registrator/registrator.ts";
import { RegistratorMetrics } from "./registrator_metrics.ts";
import { numbersIn } from "./testing.ts";

Deno.test("RegistratorMetrics count what was heard, asked, probed and written, and tell how things stand", async () => {
  const clock = new FakeClock();
  const engine = new MemoryEngine(clock.now);
  const registry = new MemoryRegistry(clock.now);
  const metrics = new RegistratorMetrics({
    version: "1.2.3",
    standing: () => registrator.standing,
    now: clock.now,
    startedAt: 1_000,
    memory: () => 42,
  });
  const registrator: Registrator = new Registrator({
    engine: metrics.engine(engine),
    registry: metrics.registry(registry),
    probe: metrics.probe(({ address }) =>
      Promise.resolve(
        address === "172.20.0.1"
          ? { ok: true, detail: "connected" }
          : { ok: false, detail: "connection refused" },
      )
    ),
    ...{ host: "h", networks: ["edge"], explicit: false, tags: [], ttl: 15, resync: 30_000 },
    ...{ version: "1.2.3", log: createLog("error", () => {}), wait: clock.wait, now: clock.now },
  });
  const start = (id: string, address: string) =>
    engine.start(sampleContainer({ id, networks: [attached("edge", address)] }));
  const now = () => numbersIn(metrics.text());
  start("a", "172.20.0.1");
  start("b", "172.20.0.2");
  assert.equal(now().get("rollcall_docker_connected"), 0);
  const stop = new AbortController();
  const running = registrator.run(stop.signal);
  await clock.move(4_000); // b never answers: vouched for without it
  const numbers = now();
  const at = (name: string) => numbers.get(name);
  assert.equal(at('rollcall_registrator_info{version="1.2.3"}'), 1);
  assert.deepEqual(
    ["docker_connected", "etcd_connected", "vouching", "containers"].map((name) =>
      at(`rollcall_${name}`)
    ),
    [1, 1, 1, 2],
  );
  assert.equal(at('rollcall_instances{state="up"}'), 1);
  assert.equal(at('rollcall_instances{state="starting"}'), 1);
  assert.equal(at('rollcall_instances{state="draining"}'), 0);
  assert.equal(at('rollcall_probes_total{kind="tcp",result="pass"}'), 1);
  assert.ok(at('rollcall_probes_total{kind="tcp",result="fail"}')! > 1);
  assert.ok(at('rollcall_etcd_writes_total{op="put"}')! >= 4); // two statuses, a key, the voucher
  assert.ok(at('rollcall_docker_requests_total{call="inspect",result="ok"}')! >= 2);
  assert.ok(at("rollcall_lease_expiry_timestamp_seconds")! > clock.now() / 1000);
  assert.ok(at("rollcall_docker_last_list_timestamp_seconds")! <= clock.now() / 1000);
  assert.equal(at("process_resident_memory_bytes"), 42);

  engine.kill("a");
  registry.failure = new Error("etcd is away");
  await clock.move(1_000);
  const later = now();
  assert.equal(later.get('rollcall_docker_events_total{action="kill"}'), 1);
  assert.equal(later.get('rollcall_instances{state="draining"}'), 1);
  assert.equal(later.get("rollcall_etcd_connected"), 0);
  const errors = [...later].filter(([name]) => /etcd_requests.*"error"/.test(name));
  assert.ok(errors.length > 0 && errors.every(([, value]) => value > 0));
  stop.abort();
  await clock.move(3_000);
  await running;
});
