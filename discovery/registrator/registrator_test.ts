// The daemon against the twins of Docker and etcd, on a moved clock.
import assert from "node:assert/strict";
import { MemoryEngine } from "../docker/memory_engine.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import type { Entry } from "../etcd/registry.ts";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import { FakeClock, settle } from "../fake_clock.ts";
import type { Container } from "../instance.ts";
import { createLog } from "../log.ts";
import { decodeStatus } from "../registration.ts";
import { Registrator } from "./registrator.ts";
import type { Finding, Target } from "./target.ts";

const RESYNC = 30_000;
const PASSED = { ok: true, detail: "connected" };
const FAILED = { ok: false, detail: "connection refused" };

class Scene {
  readonly clock: FakeClock;
  readonly engine: MemoryEngine;
  readonly registry: MemoryRegistry;
  readonly log: Array<{ event: string } & Record<string, unknown>> = [];
  /** What probes find, by address; where nothing stands, they pass. */
  readonly findings = new Map<string, Finding | Promise<Finding>>();
  readonly registrator: Registrator;
  private readonly stopping = new AbortController();
  private running = Promise.resolve();

  constructor(before?: Scene) {
    this.clock = before?.clock ?? new FakeClock();
    this.engine = before?.engine ?? new MemoryEngine(this.clock.now);
    this.registry = before?.registry ?? new MemoryRegistry(this.clock.now);
    this.registrator = new Registrator({
      engine: this.engine,
      registry: this.registry,
      probe: async ({ address }: Target) => await (this.findings.get(address) ?? PASSED),
      host: "h",
      networks: ["edge"],
      explicit: false,
      tags: [],
      ttl: 15,
      resync: RESYNC,
      version: "0.1.0",
      log: createLog("info", (line) => this.log.push(JSON.parse(line))),
      wait: this.clock.wait,
      now: this.clock.now,
    });
  }

  /** A container that starts, each with an address of its own. */
  start(id: string, change: Partial<Container> = {}): void {
    const address = `172.20.0.${id.charCodeAt(0)}`;
    this.engine.start(sampleContainer({ id, networks: [attached("edge", address)], ...change }));
  }

  async run(): Promise<this> {
    this.running = this.registrator.run(this.stopping.signal);
    await this.clock.move(1);
    return this;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await settle();
    assert.equal(this.clock.waiting, 0);
  }

  /** Ids of the containers in rotation. */
  async up(): Promise<string> {
    const keys = [...(await this.registry.list("/services/")).keys()];
    return keys.map((key) => key.replace("/services/nginx/h:web-", "").replace(":80", "")).join(
      " ",
    );
  }

  async state(id: string): Promise<string | undefined> {
    const [entry] = (await this.registry.list(`/rollcall/status/h/${id}/`)).values();
    return entry && decodeStatus(entry.value)?.state;
  }

  async vouched(): Promise<boolean> {
    return (await this.registry.list("/rollcall/hosts/")).has("/rollcall/hosts/h");
  }

  events(event: string): number {
    return this.log.filter((line) => line.event === event).length;
  }
}

Deno.test("Registrator registers who runs, vouches, and follows who comes and goes", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  assert.deepEqual([await scene.up(), await scene.vouched()], ["a", true]);
  scene.start("b");
  await scene.clock.move(5);
  assert.equal(await scene.up(), "a b");
  scene.engine.kill("a");
  await settle();
  assert.equal(await scene.up(), "b");
  assert.equal(await scene.state("a"), "draining");
  scene.engine.die("a");
  await scene.clock.move(100);
  assert.equal(await scene.state("a"), undefined);
  await scene.stop();
  assert.equal(await scene.up(), "b"); // its keys stay for a successor
});

Deno.test("Registrator vouches and deletes only once everything listed has been judged", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  await scene.stop();
  const second = new Scene(scene);
  const probing = Promise.withResolvers<Finding>();
  second.start("b");
  second.findings.set("172.20.0.98", probing.promise);
  scene.engine.die("a");
  await second.run();
  assert.equal(await second.up(), "a"); // what the predecessor wrote stands
  probing.resolve(PASSED);
  await settle();
  assert.equal(await second.up(), "b");
  await second.stop();
});

Deno.test("Registrator does not wait for ever for an endpoint that never answers before it vouches", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.start("b");
  scene.findings.set("172.20.0.98", new Promise(() => {}));
  await scene.run();
  assert.equal(await scene.vouched(), false);
  await scene.clock.move(3_000);
  assert.deepEqual([await scene.vouched(), await scene.up(), await scene.state("b")], [
    true,
    "a",
    "starting",
  ]);
  await scene.stop();
});

Deno.test("Registrator vouches for a host without containers", async () => {
  const scene = await new Scene().run();
  assert.equal(await scene.vouched(), true);
  await scene.stop();
});

Deno.test("Registrator restarted under way writes nothing at all when nothing has changed", async () => {
  const scene = new Scene();
  for (const id of ["a", "b", "c"]) scene.start(id);
  await scene.run();
  scene.engine.kill("c");
  await settle();
  await scene.stop();
  const writes = scene.registry.applied.length;
  await scene.clock.move(5_000);
  const second = await new Scene(scene).run();
  await second.clock.move(5_000);
  assert.equal(second.registry.applied.length, writes);
  assert.deepEqual([await second.up(), await second.state("c")], ["a b", "draining"]);
  assert.equal(second.events("registrations taken over"), 1);
  await second.stop();
});

Deno.test("Registrator restarted puts right what happened meanwhile, without probing those that stayed", async () => {
  const scene = new Scene();
  for (const id of ["a", "b"]) scene.start(id);
  await scene.run();
  await scene.stop();
  scene.engine.die("a");
  scene.start("c");
  const second = new Scene(scene);
  await second.run();
  assert.equal(await second.up(), "b c");
  await second.stop();
});

Deno.test("Registrator waits for Docker at start, says so once, and registers when it is there", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.engine.failure = new Error("Cannot follow events: no answer");
  await scene.run();
  await scene.clock.move(60_000);
  assert.equal(scene.events("waiting for docker"), 1);
  assert.deepEqual([scene.registrator.healthy, await scene.vouched()], [false, false]);
  scene.engine.failure = undefined;
  await scene.clock.move(5_000);
  assert.deepEqual([scene.registrator.healthy, await scene.up()], [true, "a"]);
  await scene.stop();
});

Deno.test("Registrator keeps everything while Docker is away, and lists as soon as it is back", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.start("b");
  await scene.run();
  scene.engine.failure = new Error("away");
  scene.engine.cut();
  scene.engine.die("a");
  await scene.clock.move(120_000);
  assert.equal(await scene.up(), "a b");
  assert.equal(scene.registrator.healthy, false);
  scene.engine.failure = undefined;
  await scene.clock.move(5_000);
  assert.equal(await scene.up(), "b");
  assert.equal(scene.events("waiting for docker"), 1);
  await scene.stop();
});

Deno.test("Registrator opens a cut stream at once and misses nothing", async () => {
  const scene = await new Scene().run();
  for (const id of ["a", "b", "c"]) {
    scene.engine.cut();
    scene.start(id);
    await scene.clock.move(200);
  }
  assert.equal(await scene.up(), "a b c");
  assert.equal(scene.events("waiting for docker"), 3);
  await scene.stop();
});

Deno.test("Registrator heals within a resync when events get lost, and opens another stream", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  scene.engine.deaf = true;
  scene.engine.die("a");
  scene.start("b");
  await scene.clock.move(RESYNC);
  assert.equal(await scene.up(), "b");
  scene.engine.deaf = false;
  await scene.clock.move(2_000);
  assert.deepEqual([scene.engine.asked.events, scene.events("events missed")], [2, 1]);
  await scene.clock.move(10 * RESYNC);
  assert.equal(scene.engine.asked.events, 2);
  await scene.stop();
});

Deno.test("Registrator does not take the stream for deaf when the event comes right after the list", async () => {
  const scene = await new Scene().run();
  await scene.clock.move(1_500); // the second look is over
  scene.engine.deaf = true;
  scene.start("a");
  await scene.clock.move(RESYNC);
  scene.engine.deaf = false;
  scene.engine.pause("a");
  await scene.clock.move(RESYNC);
  assert.equal(scene.engine.asked.events, 1);
  await scene.stop();
});

Deno.test("Registrator changes nothing when a list fails, says so once, and tries again", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  scene.engine.failure = new Error("Cannot list containers: status is 500");
  await scene.clock.move(RESYNC + 20_000);
  assert.deepEqual([await scene.up(), scene.events("list failed")], ["a", 1]);
  scene.engine.failure = undefined;
  scene.engine.deaf = true;
  scene.start("b");
  await scene.clock.move(5_000);
  assert.equal(await scene.up(), "a b"); // long before the next resync
  await scene.stop();
});

Deno.test("Registrator does not vouch as long as Docker does not tell about a container, but not for ever", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.start("b");
  const inspect = scene.engine.inspect.bind(scene.engine);
  scene.engine.inspect = (id) => id === "b" ? Promise.reject(new Error("stuck")) : inspect(id);
  await scene.run();
  assert.equal(await scene.vouched(), false);
  await scene.clock.move(2_000);
  assert.deepEqual([await scene.vouched(), await scene.up()], [true, "a"]);
  assert.ok(scene.events("inspection failed") >= 3);
  scene.engine.inspect = inspect;
  await scene.clock.move(RESYNC);
  assert.equal(await scene.up(), "a b");
  await scene.stop();
});

Deno.test("Registrator believes no inspection that was asked for before the container died", async () => {
  const scene = await new Scene().run();
  const release = scene.engine.hold("a");
  scene.start("a");
  await settle();
  scene.engine.die("a");
  await settle();
  release();
  await scene.clock.move(5_000);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["", undefined]);
  await scene.stop();
});

Deno.test("Registrator asks again when something happens to a container while it asks about it", async () => {
  const scene = await new Scene().run();
  const release = scene.engine.hold("a");
  scene.start("a", { health: "starting" });
  await settle();
  scene.engine.health("a", "healthy"); // in no answer that is under way
  await settle();
  release();
  await scene.clock.move(5);
  assert.equal(await scene.up(), "a");
  await scene.stop();
});

Deno.test("Registrator loses no change to an answer that is thrown away because something happened meanwhile", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  const release = scene.engine.hold("a");
  scene.engine.alter("a", { networks: [attached("edge", "172.20.0.200", "e9")] });
  await scene.clock.move(1);
  scene.engine.pause("a");
  await scene.clock.move(1);
  release();
  scene.engine.unpause("a");
  await scene.clock.move(5);
  const [entry] = (await scene.registry.list("/services/")).values();
  assert.equal(JSON.parse(entry!.value).address, "172.20.0.200");
  await scene.stop();
});

Deno.test("Registrator survives lists that are slower than the events", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  const release = scene.engine.hold("list");
  await scene.clock.move(RESYNC); // asked for now, with a in it
  scene.engine.kill("a");
  scene.engine.die("a");
  scene.start("b");
  await scene.clock.move(1_000);
  release();
  await scene.clock.move(1_000);
  assert.equal(await scene.up(), "b");
  await scene.stop();
});

Deno.test("Registrator follows restart, pause, rename and another network", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  scene.engine.pause("a");
  await scene.clock.move(5);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["", "paused"]);
  scene.engine.unpause("a");
  await scene.clock.move(5);
  scene.engine.alter("a", { name: "web-renamed" });
  await scene.clock.move(5);
  assert.equal(await scene.up(), "renamed");
  scene.engine.alter("a", { networks: [] });
  await scene.clock.move(5);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["", "rejected"]);
  scene.engine.die("a");
  scene.findings.set("172.20.0.97", FAILED);
  scene.start("a");
  await scene.clock.move(105);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["", "starting"]);
  scene.findings.clear();
  await scene.clock.move(100);
  assert.equal(await scene.up(), "a");
  await scene.stop();
});

Deno.test("Registrator says in the log who is rejected and why", async () => {
  const scene = new Scene();
  scene.start("a", { labels: { SERVICE_WEIGHT: "heavy" } });
  await scene.run();
  const { container, reason } = scene.log.find(({ event }) => event === "rejected")!;
  assert.deepEqual([container, reason], [
    "web-a",
    "SERVICE_WEIGHT 'heavy' is not a whole number from 0 to 1000.",
  ]);
  await scene.stop();
});

Deno.test("Registrator says in the status that another host holds a key", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  const [[key, { value }] = ["", { value: "" }]] = await scene.registry.list("/services/");
  scene.registry.put(key, value.replace('"host":"h"', '"host":"other"'));
  await scene.clock.move(RESYNC + 100);
  assert.equal(await scene.state("a"), "rejected");
  assert.equal(scene.events("key taken"), 1);
  scene.registry.delete(key);
  await scene.clock.move(RESYNC);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["a", "up"]);
  await scene.stop();
});

Deno.test("Registrator tells who shares a route with another host's service, and when it no longer does", async () => {
  const scene = new Scene();
  scene.start("a", { labels: { SERVICE_NAME: "web", SERVICE_HOST: "a.org" } });
  await scene.run();
  const note = async () => {
    const [entry] = (await scene.registry.list("/rollcall/status/h/a/")).values();
    return decodeStatus(entry!.value)?.note;
  };
  assert.equal(await note(), undefined);
  const [{ value }] = [...(await scene.registry.list("/services/")).values()] as [Entry];
  const theirs = "/services/api/other:x:80";
  scene.registry.put(theirs, value.replace('"host":"h"', '"host":"other"'));
  await scene.clock.move(RESYNC + 100);
  assert.match((await note())!, /^Not served on a.org\/: the service api claims it too/);
  assert.equal(await scene.state("a"), "up");
  assert.ok((await scene.registry.list("/services/web/")).size === 1, "it stays in rotation");
  scene.registry.delete(theirs);
  await scene.clock.move(RESYNC + 100);
  assert.equal(await note(), undefined);
  await scene.stop();
});

Deno.test("Registrator writes everything anew after etcd was wiped, within a third of the TTL", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.start("b");
  await scene.run();
  scene.registry.wipe();
  await scene.clock.move(5_100);
  assert.deepEqual([await scene.up(), await scene.vouched()], ["a b", true]);
  await scene.stop();
});

Deno.test("Registrator that must vouch anew waits for other hosts it remembers, a TTL at most", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  const [[key, { value }] = ["", { value: "" }]] = await scene.registry.list("/services/");
  const theirs = key.replace("/h:", "/other:");
  const other = () => scene.registry.put(theirs, value.replace('"host":"h"', '"host":"other"'));
  other();
  await scene.clock.move(5_000);

  scene.registry.wipe();
  await scene.clock.move(5_100);
  assert.deepEqual([await scene.up(), await scene.vouched()], ["a", false]); // ours is there, nobody may believe it yet
  assert.equal(scene.events("waiting for other hosts"), 1);
  assert.deepEqual(
    scene.log.filter(({ event }) => event === "waiting for other hosts").map((line) =>
      line.missing
    ),
    ["other"],
  );
  assert.equal(scene.registrator.standing.vouching, false);
  other();
  await scene.clock.move(5_000);
  assert.deepEqual([await scene.vouched(), scene.registrator.standing.vouching], [true, true]);

  scene.registry.wipe(); // and now it never comes back
  await scene.clock.move(19_000);
  assert.equal(await scene.vouched(), false);
  scene.start("b"); // what happens meanwhile is written
  await scene.clock.move(500);
  assert.equal(await scene.up(), "a b");
  await scene.clock.move(1_000);
  assert.equal(await scene.vouched(), true);
  assert.equal(scene.events("vouching"), 3);
  await scene.stop();
});

Deno.test("Registrator without etcd at start waits, says so once, and registers when it is there", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.registry.failure = new Error("Cannot list: no connection");
  await scene.run();
  await scene.clock.move(60_000);
  assert.deepEqual([scene.events("waiting for etcd"), scene.registrator.healthy], [1, false]);
  scene.registry.failure = undefined;
  await scene.clock.move(2_000);
  assert.deepEqual([await scene.up(), scene.registrator.healthy], ["a", true]);
  await scene.stop();
});

Deno.test("Registrator stops at once, whatever it is waiting for", async () => {
  for (const question of ["events", "list", "a"]) {
    const scene = new Scene();
    scene.start("a");
    const release = scene.engine.hold(question);
    await scene.run();
    const stopped = scene.stop();
    release(); // a real Engine ends the call when the signal fires
    await stopped;
  }
});

Deno.test("Registrator.deregister() removes every key at once", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  await scene.stop();
  await scene.registrator.deregister();
  assert.equal((await scene.registry.list("/")).size, 0);
});

Deno.test("Registrator keeps a crashing container from flapping the edge, and admits it once it lives", async () => {
  const scene = await new Scene().run();
  for (let i = 0; i < 100; i++) {
    scene.start("a");
    await scene.clock.move(3_000); // it listens at once, and lives for three seconds
    scene.engine.die("a");
    await scene.clock.move(500);
  }
  assert.equal(scene.events("registered"), 4); // at first, after one crash, after 1 s and after 2 s
  scene.start("a");
  await scene.clock.move(59_000);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["", "starting"]);
  await scene.clock.move(1_100);
  assert.equal(await scene.up(), "a");
  await scene.stop();
});

Deno.test("Registrator writes nothing at rest though explicit checks go on and say the same", async () => {
  const scene = new Scene();
  scene.start("a", { labels: { SERVICE_CHECK_TCP: "true" } });
  await scene.run();
  await scene.clock.move(1_000);
  const writes = scene.registry.applied.length;
  await scene.clock.move(100_000);
  assert.equal(scene.registry.applied.length, writes);
  await scene.stop();
});

Deno.test("Registrator at rest asks and writes nothing but its resyncs", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  await scene.clock.move(1_000);
  const { applied } = scene.registry;
  const before = { ...scene.engine.asked, writes: applied.length };
  await scene.clock.move(10 * RESYNC);
  assert.deepEqual({ ...scene.engine.asked, writes: applied.length }, {
    ...before,
    list: before.list + 10,
  });
  await scene.stop();
});

Deno.test("Registrator takes out who is drained by hand within a second, and back when the key is gone", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.start("b");
  await scene.run();
  assert.equal(await scene.up(), "a b");
  scene.registry.put("/rollcall/drain/h/web-a", "written with etcdctl, not JSON");
  scene.registry.put("/rollcall/drain/h2/web-b", "{}"); // another host's
  await scene.clock.move(1_000);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["b", "draining"]);
  await scene.clock.move(2 * RESYNC);
  assert.equal(await scene.up(), "b");
  scene.registry.delete("/rollcall/drain/h/web-a");
  await scene.clock.move(1_000);
  assert.deepEqual([await scene.up(), await scene.state("a")], ["a b", "up"]);
  await scene.stop();
});

Deno.test("Registrator: its successor leaves out who is drained by hand, and lets in who was undrained meanwhile", async () => {
  const first = new Scene();
  first.start("a");
  first.start("b");
  first.registry.put("/rollcall/drain/h/web-a", "{}");
  first.registry.put("/rollcall/drain/h/web-b", "{}");
  await first.run();
  await first.clock.move(1_000);
  assert.equal(await first.up(), "");
  await first.stop();
  first.registry.delete("/rollcall/drain/h/web-b");
  first.registry.applied.length = 0;
  const list = first.registry.list.bind(first.registry);
  let looks = 0;
  first.registry.list = async (prefix) => { // whoever looks again comes too late
    if (prefix === "/rollcall/drain/h/" && ++looks === 2) await first.clock.wait(500);
    return await list(prefix);
  };
  const second = await new Scene(first).run();
  await second.clock.move(1_000);
  assert.deepEqual([await second.up(), await second.state("a")], ["b", "draining"]);
  for (const { puts } of second.registry.applied) {
    assert.ok(![...puts.keys()].some((key) => key.includes("/services/nginx/h:web-a")));
  }
  await second.stop();
});

Deno.test("Registrator keeps who is drained by hand out while etcd does not answer", async () => {
  const scene = new Scene();
  scene.start("a");
  scene.registry.put("/rollcall/drain/h/web-a", "{}");
  await scene.run();
  scene.registry.failure = new Error("Cannot list: away");
  await scene.clock.move(5_000);
  scene.registry.failure = undefined;
  scene.start("b");
  await scene.clock.move(5_000);
  assert.equal(await scene.up(), "b");
  await scene.stop();
});

Deno.test("Registrator never vouches for registrations that somebody deleted while it read them", async () => {
  const scene = new Scene();
  scene.start("a");
  await scene.run();
  const { registry } = scene;
  const list = registry.list.bind(registry);
  const apply = registry.apply.bind(registry);
  const keys = async () => [...(await list("/")).keys()];
  let lists = 0;
  registry.list = async (prefix) => {
    const entries = await list(prefix);
    const ofRead = !prefix.startsWith("/rollcall/drain/"); // that one is asked for all the time
    if (ofRead && ++lists === 1) { for (const key of await keys()) registry.delete(key); }
    return entries;
  };
  let vouchedForNothing = false;
  registry.apply = async (changes, lease) => {
    const revision = await apply(changes, lease);
    const now = await keys();
    const registered = now.some((key) => key.startsWith("/services/"));
    if (now.includes("/rollcall/hosts/h") && !registered) vouchedForNothing = true;
    return revision;
  };
  registry.put("/elsewhere", "somebody writes: so all is read again");
  await scene.clock.move(2 * RESYNC);
  assert.ok(lists > 0);
  assert.equal(vouchedForNothing, false);
  assert.deepEqual([await scene.up(), await scene.vouched()], ["a", true]);
  await scene.stop();
});
