// The whole daemon against the twins of Docker and etcd, both of which fail in every way: after quiet etcd says the truth.
import assert from "node:assert/strict";
import fc from "fast-check";
import { MemoryEngine } from "../docker/memory_engine.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import { FakeClock, settle } from "../fake_clock.ts";
import { createLog } from "../log.ts";
import { decodeRegistration } from "../registration.ts";
import { Registrator } from "./registrator.ts";

/** More of them find more: PROPERTY_RUNS=100000 deno test … */
const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 150);
const IDS = ["a", "b", "c"] as const;
type Id = (typeof IDS)[number];
const THEIRS = "/services/nginx/other:web:80";
const STEPS = [
  ...["start", "start", "kill", "die", "pause", "unpause", "listen", "healthy", "unhealthy"],
  ...[
    "cut",
    "deaf",
    "dockerAway",
    "dockerBack",
    "etcdAway",
    "etcdBack",
    "etcdDeaf",
    "wipe",
    "delete",
  ],
  ...["holdList", "holdInspection", "release", "restart", "wait", "wait", "waitLong"],
] as const;

class World {
  private readonly clock = new FakeClock();
  private readonly engine = new MemoryEngine(this.clock.now);
  readonly registry = new MemoryRegistry(this.clock.now);
  private readonly listening = new Set<string>();
  private releases: Array<() => void> = [];
  private stopping = new AbortController();
  private running = Promise.resolve();
  private theirs = "";

  async open(): Promise<void> {
    this.run();
    await this.clock.move(1);
    // Another host's instance, as its registrator would write it.
    this.start("a");
    this.listening.add(this.address("a"));
    await this.clock.move(2_000);
    const [entry] = (await this.registry.list("/services/")).values();
    this.theirs = entry!.value.replace('"host":"h"', '"host":"other"');
    this.registry.put(THEIRS, this.theirs);
  }

  async do(what: (typeof STEPS)[number], who: Id, n: number): Promise<void> {
    this.step(what, who, n);
    await settle();
    if (what === "restart") await this.restart();
    if (what === "wait") await this.clock.move(n);
    if (what === "waitLong") await this.clock.move(20 * n);
  }

  /** Everything works again, nothing happens any more. */
  async quiet(): Promise<void> {
    this.step("dockerBack", "a", 0);
    this.step("etcdBack", "a", 0);
    this.step("release", "a", 0);
    await this.clock.move(120_000);
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await settle();
    assert.equal(this.clock.waiting, 0, "somebody still waits");
  }

  async routable(): Promise<readonly string[]> {
    const all = await Promise.all(IDS.map((id) => this.engine.inspect(id)));
    return all.filter((container) =>
      container?.running && !container.paused &&
      (container.health === "none"
        ? this.listening.has(container.networks[0]!.address)
        : container.health === "healthy")
    ).map((container) => container!.name).sort();
  }

  async inRotation(): Promise<readonly string[]> {
    const entries = await this.registry.list("/services/");
    return [...entries].filter(([key]) => key !== THEIRS)
      .map(([key, { value }]) => decodeRegistration(key, value)?.container ?? key).sort();
  }

  async others(): Promise<boolean> {
    const entry = (await this.registry.list(THEIRS)).get(THEIRS);
    return entry === undefined || entry.value === this.theirs; // a wipe takes it, we never do
  }

  private step(what: (typeof STEPS)[number], id: Id, n: number): void {
    const { engine, registry } = this;
    const container = this.real.get(id);
    const runs = container?.running === true;
    switch (what) {
      case "start":
        return runs ? undefined : this.start(id);
      case "kill":
        return runs ? engine.kill(id) : undefined;
      case "die":
        if (runs) {
          engine.die(id);
          this.real.set(id, { ...container, running: false });
        }
        return;
      case "pause":
      case "unpause":
        if (runs && container.paused === (what === "unpause")) {
          engine[what](id);
          this.real.set(id, { ...container, paused: what === "pause" });
        }
        return;
      case "healthy":
      case "unhealthy":
        return runs && id === "b" && !container.paused ? engine.health(id, what) : undefined;
      case "listen": // where only admission is probed, nobody looks any more whether it still listens
        if (n % 3 > 0) this.listening.add(this.address(id));
        else if (id === "c") this.listening.delete(this.address(id));
        return;
      case "cut":
        return engine.cut();
      case "deaf":
        engine.deaf = !engine.deaf;
        return;
      case "dockerAway":
        engine.failure = new Error("Cannot list containers: away");
        return n % 2 ? engine.cut() : undefined;
      case "dockerBack":
        engine.failure = undefined;
        engine.deaf = false;
        return;
      case "etcdAway":
        registry.failure = new Error("Cannot write: away");
        return;
      case "etcdBack":
        registry.failure = undefined;
        registry.deaf = false;
        return;
      case "etcdDeaf":
        registry.deaf = true;
        return;
      case "wipe":
        return registry.wipe();
      case "delete":
        return registry.delete(`/services/nginx/h:web-${id}:80`);
      case "holdList":
        return void this.releases.push(engine.hold("list"));
      case "holdInspection":
        return void this.releases.push(engine.hold(id));
      case "release":
        for (const release of this.releases.splice(0)) release();
    }
  }

  private readonly real = new Map<Id, { running: boolean; paused: boolean }>();

  private start(id: Id): void {
    this.real.set(id, { running: true, paused: false });
    this.listening.delete(this.address(id));
    const networks = [attached("edge", this.address(id))];
    this.engine.start(sampleContainer({
      id,
      networks,
      health: id === "b" ? "starting" : "none",
      labels: id === "c" ? { SERVICE_CHECK_TCP: "true" } : {},
    }));
  }

  private address(id: Id): string {
    return `172.20.0.${id.charCodeAt(0)}`;
  }

  private async restart(): Promise<void> {
    for (const release of this.releases.splice(0)) release(); // a real Engine ends its calls
    this.stopping.abort();
    await this.running;
    this.run();
  }

  private run(): void {
    this.stopping = new AbortController();
    const registrator = new Registrator({
      engine: this.engine,
      registry: this.registry,
      probe: async ({ address }) => {
        await Promise.resolve();
        const ok = this.listening.has(address);
        return { ok, detail: ok ? "connected" : "connection refused" };
      },
      host: "h",
      networks: ["edge"],
      explicit: false,
      tags: [],
      ttl: 15,
      resync: 30_000,
      version: "0.1.0",
      log: createLog("error", () => {}),
      wait: this.clock.wait,
      now: this.clock.now,
    });
    this.running = registrator.run(this.stopping.signal);
  }
}

const step = fc.tuple(fc.constantFrom(...STEPS), fc.constantFrom(...IDS), fc.nat(3_000));

Deno.test("Registrator, whatever fails in whatever order: after quiet etcd holds the routable set, others' keys are untouched, nothing is written any more", async () => {
  let routed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
      const world = new World();
      await world.open();
      for (const [what, who, n] of steps) await world.do(what, who, n);
      await world.quiet();
      assert.deepEqual(await world.inRotation(), await world.routable());
      assert.ok(await world.others());
      const writes = world.registry.applied.length;
      await world.quiet();
      assert.equal(world.registry.applied.length, writes, "written twice");
      routed += (await world.routable()).length;
      await world.close();
    }),
    { numRuns: RUNS },
  );
  assert.ok(routed > RUNS / 3, `the world was too quiet: ${routed}`);
});
