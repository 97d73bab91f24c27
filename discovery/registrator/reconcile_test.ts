// The reconciler against etcd's twin in memory, on a moved clock.
import assert from "node:assert/strict";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import { FakeClock, settle } from "../fake_clock.ts";
import { createLog } from "../log.ts";
import type { Owner } from "./plan.ts";
import { GaveUpError, Reconciler, type ReconcilerOptions } from "./reconcile.ts";

const HOST = "/rollcall/hosts/h";
const TTL = 15;
const RESYNC = 30_000;

/** Values say whose they are. */
const ownerOf = (_: string, value: string): Owner => value.startsWith("theirs") ? "another" : "us";

class Scene {
  readonly clock = new FakeClock();
  registry = new MemoryRegistry(this.clock.now);
  desired: Map<string, string> | undefined = new Map([["/services/web/a", "ours a"], [
    HOST,
    "ours",
  ]]);
  /** The keys that `desired` says may have changed: where a test does not say, any. */
  changed: ReadonlySet<string> | undefined;
  readonly log: string[] = [];
  readonly takenKeys: Array<readonly string[]> = [];
  private readonly stopping = new AbortController();
  private running = Promise.resolve();
  readonly reconciler: Reconciler;

  constructor(registry?: MemoryRegistry, ttl = TTL, change: Partial<ReconcilerOptions> = {}) {
    if (registry) this.registry = registry;
    this.reconciler = new Reconciler({
      registry: this.registry,
      desired: () => this.desired && { entries: this.desired, changed: this.changed },
      prefixes: ["/services/", "/status/", "/rollcall/hosts/"],
      patient: (key) => key.startsWith("/status/"),
      ownerOf,
      hostKey: HOST,
      ttl,
      resync: RESYNC,
      log: createLog("info", (line) => this.log.push(JSON.parse(line).event)),
      taken: (keys) => this.takenKeys.push([...keys]),
      wait: this.clock.wait,
      now: this.clock.now,
      ...change,
    });
  }

  async start(): Promise<this> {
    await this.reconciler.read(this.stopping.signal);
    this.running = this.reconciler.run(this.stopping.signal);
    await this.poke();
    return this;
  }

  async poke(): Promise<void> {
    this.reconciler.poke();
    await settle();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    assert.equal(this.clock.waiting, 0);
  }

  async stored(): Promise<Record<string, string>> {
    const { failure } = this.registry;
    this.registry.failure = undefined;
    const entries = await this.registry.list("/");
    this.registry.failure = failure;
    return Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
  }
}

Deno.test("Reconciler writes what is desired, deletes what is not, and nothing twice", async () => {
  const scene = await new Scene().start();
  assert.deepEqual(await scene.stored(), { "/services/web/a": "ours a", [HOST]: "ours" });
  assert.equal(scene.registry.applied.length, 1);
  for (let i = 0; i < 5; i++) await scene.poke();
  await scene.clock.move(10 * RESYNC);
  assert.equal(scene.registry.applied.length, 1);
  scene.desired = new Map([[HOST, "ours"]]);
  await scene.poke();
  assert.deepEqual(await scene.stored(), { [HOST]: "ours" });
  await scene.poke();
  assert.equal(scene.registry.applied.length, 2);
  await scene.stop();
});

Deno.test("Reconciler at rest reads the keys once in ten resyncs, as etcd's revision tells that nobody has written", async () => {
  const registry = new MemoryRegistry();
  const scene = await new Scene(registry).start();
  const list = registry.list.bind(registry);
  let reads = 0;
  registry.list = (prefix) => {
    if (prefix === "/services/") reads++;
    return list(prefix);
  };
  await scene.clock.move(9 * RESYNC);
  assert.equal(reads, 0);
  await scene.clock.move(RESYNC);
  assert.equal(reads, 1);
  registry.delete("/services/web/a"); // and somebody has
  await scene.clock.move(RESYNC);
  assert.ok(reads > 1);
  assert.ok("/services/web/a" in await scene.stored());
  await scene.stop();
});

Deno.test("Reconciler asks the more rarely the more others write and the more there is, and puts its keys right then", async () => {
  const count = async (foreign: number, written: number) => {
    const registry = new MemoryRegistry();
    for (let i = 0; i < foreign; i++) registry.put(`/services/web/theirs-${i}`, "theirs");
    const scene = await new Scene(registry).start();
    const list = registry.list.bind(registry);
    let [reads, whole] = [0, 0];
    registry.list = (prefix, known) => {
      if (prefix === "/services/") {
        reads++;
        if (!known) whole++;
      }
      return list(prefix);
    };
    await scene.clock.move(60_000);
    reads = whole = 0;
    registry.delete("/services/web/a");
    for (let i = 0; i < 120; i++) {
      for (let j = 0; j < written; j++) registry.put(`/services/web/theirs-${j}`, `theirs ${i}`);
      await scene.clock.move(1_000);
    }
    const count = reads;
    assert.ok(whole <= 1, `${whole} of ${reads} readings were of everything`);
    assert.ok("/services/web/a" in await scene.stored());
    await scene.stop();
    return count;
  };
  const [few, standing, changing] = [
    await count(10, 1),
    await count(20_000, 1),
    await count(5_000, 5_000),
  ];
  assert.ok(few >= 20, `${few} readings beside 10 keys in 120 s`);
  assert.ok(standing >= 9 && standing <= 13, `${standing} readings beside 20,000 keys in 120 s`);
  assert.ok(changing >= 3 && changing <= 7, `${changing} readings of 5,000 changed keys in 120 s`);
});

Deno.test("Reconciler reads everything, and not only what has changed, where etcd was away or has lost the lease", async () => {
  for (const trouble of ["away", "lease lost"]) {
    const scene = await new Scene().start();
    const { registry } = scene;
    const known: unknown[] = [];
    const list = registry.list.bind(registry);
    registry.list = (prefix, before) => {
      known.push(before);
      return list(prefix);
    };
    if (trouble === "away") registry.failure = new Error("Cannot: no connection");
    else registry.wipe();
    await scene.clock.move(10_000);
    registry.failure = undefined;
    await scene.clock.move(10_000);
    assert.ok(known.length > 0, trouble);
    assert.ok(known.every((before) => before === undefined), trouble);
    await scene.stop();
  }
});

Deno.test("Reconciler writes and deletes nothing while it is not known what should stand there", async () => {
  const scene = new Scene();
  scene.registry.put("/services/web/old", "ours old");
  scene.desired = undefined;
  await scene.start();
  await scene.clock.move(2 * RESYNC);
  assert.deepEqual(await scene.stored(), { "/services/web/old": "ours old" });
  await scene.stop();
});

Deno.test("Reconciler keeps the lease alive for as long as it runs, and the keys end one TTL later", async () => {
  const scene = await new Scene().start();
  await scene.clock.move(100 * TTL * 1000);
  assert.equal(Object.keys(await scene.stored()).length, 2);
  assert.equal(scene.log.filter((event) => event === "lease granted").length, 1);
  await scene.stop();
  await scene.clock.move(TTL * 1000);
  assert.deepEqual(await scene.stored(), {});
});

Deno.test("Reconciler takes over the lease of its predecessor, and writes nothing that stands there", async () => {
  const first = await new Scene().start();
  await first.stop();
  const second = await new Scene(first.registry).start();
  assert.ok(second.log.includes("lease taken over"));
  assert.equal(second.registry.applied.length, 1);
  await second.stop();
});

Deno.test("Reconciler grants its own lease where the predecessor's has another TTL, and moves every key", async () => {
  const first = await new Scene(undefined, 60).start();
  await first.stop();
  const second = await new Scene(first.registry).start();
  assert.ok(second.log.includes("lease granted"));
  assert.equal(second.registry.applied.length, 2);
  const leases = new Set([...(await second.registry.list("/")).values()].map(({ lease }) => lease));
  assert.equal(leases.size, 1);
  await second.stop();
});

Deno.test("Reconciler grants a lease where the host's key hangs on none or on one that is gone", async () => {
  const scene = new Scene();
  scene.registry.put(HOST, "ours");
  await scene.start();
  assert.deepEqual(scene.log, ["lease granted"]);
  assert.equal((await scene.registry.list(HOST)).get(HOST)?.lease, "1");
  await scene.stop();
});

Deno.test("Reconciler heals at once when a write finds the lease gone", async () => {
  const scene = await new Scene().start();
  scene.registry.wipe();
  scene.desired!.set("/services/web/b", "ours b");
  await scene.poke();
  await scene.clock.move(50);
  assert.deepEqual(Object.keys(await scene.stored()).sort(), [
    HOST,
    "/services/web/a",
    "/services/web/b",
  ]);
  await scene.stop();
});

Deno.test("Reconciler notices a wiped etcd within a third of the TTL though nothing changes", async () => {
  const scene = await new Scene().start();
  scene.registry.wipe();
  await scene.clock.move(TTL * 1000 / 3 + 100);
  assert.equal(Object.keys(await scene.stored()).length, 2);
  assert.ok(scene.log.includes("lease lost"));
  await scene.stop();
});

Deno.test("Reconciler repairs within a third of the TTL what somebody deleted or overwrote by hand", async () => {
  const scene = await new Scene().start();
  scene.registry.delete("/services/web/a");
  scene.registry.put(HOST, "garbage");
  scene.registry.put("/services/web/stray", "ours, by hand");
  await scene.clock.move(TTL * 1000 / 3 + 100);
  assert.deepEqual(await scene.stored(), { "/services/web/a": "ours a", [HOST]: "ours" });
  await scene.stop();
});

Deno.test("Reconciler reads everything again only when somebody else has written", async () => {
  const scene = new Scene();
  let reads = 0;
  const { registry } = scene;
  const list = registry.list.bind(registry);
  registry.list = (prefix) => {
    if (prefix === "/services/") reads++;
    return list(prefix);
  };
  await scene.start();
  for (const name of "bcdefg") {
    scene.desired!.set(`/services/web/${name}`, `ours ${name}`);
    await scene.poke();
    await scene.clock.move(TTL * 1000 / 4);
  }
  assert.equal(reads, 1);
  registry.put("/elsewhere", "theirs");
  scene.desired!.set("/services/web/h", "ours h"); // a write of ours right behind theirs does not hide it
  await scene.poke();
  await scene.clock.move(TTL * 1000 / 3);
  assert.equal(reads, 2);
  await scene.stop();
});

/** A scene that has begun, and what stands by the next reading after somebody else has written. */
async function noted() {
  const readings: Array<ReadonlySet<string>> = [];
  const scene: Scene = new Scene(undefined, TTL, {
    desired: (current) => {
      readings.push(new Set(current.keys()));
      return { entries: scene.desired!, changed: scene.changed };
    },
    prefixes: [HOST, "/services/"],
  });
  await scene.start();
  const nextReading = async () => {
    scene.registry.put("/elsewhere", "somebody writes: so all is read again");
    readings.length = 0;
    await scene.clock.move(TTL * 1000 / 3);
    return readings[0]!;
  };
  return { scene, nextReading };
}

Deno.test("Reconciler takes our voucher for gone where etcd lost everything between two answers of one reading", async () => {
  const { scene, nextReading } = await noted();
  const { registry } = scene;
  const list = registry.list.bind(registry);
  registry.list = async (prefix) => {
    const entries = await list(prefix);
    if (prefix === HOST) registry.delete(HOST); // right behind the answer that still had it
    registry.list = list;
    return entries;
  };
  const read = await nextReading();
  assert.deepEqual([...read], ["/services/web/a"]);
  await scene.stop();
});

Deno.test("Reconciler does not take for there what etcd lost while it was being read", async () => {
  const { scene, nextReading } = await noted();
  const { registry } = scene;
  const list = registry.list.bind(registry);
  registry.list = async (prefix) => {
    const entries = await list(prefix);
    if (prefix !== "/services/") return entries;
    registry.list = list;
    for (const key of [HOST, "/services/web/a"]) registry.delete(key); // right behind the last answer
    return entries;
  };
  const read = await nextReading();
  assert.deepEqual([...read], [], "else our voucher alone is written anew");
  await scene.stop();
});

Deno.test("Reconciler keeps other owners' keys, says once which it cannot have, and takes them when they are free", async () => {
  const scene = new Scene();
  scene.registry.put("/services/web/a", "theirs");
  scene.registry.put("/services/web/z", "theirs");
  await scene.start();
  for (let i = 0; i < 5; i++) await scene.poke();
  await scene.clock.move(3 * RESYNC);
  assert.equal((await scene.stored())["/services/web/a"], "theirs");
  assert.equal(scene.log.filter((event) => event === "key taken").length, 1);
  scene.registry.delete("/services/web/a");
  await scene.clock.move(RESYNC);
  assert.deepEqual(await scene.stored(), {
    "/services/web/a": "ours a",
    "/services/web/z": "theirs",
    [HOST]: "ours",
  });
  assert.deepEqual(scene.takenKeys, [["/services/web/a"], []]);
  await scene.stop();
});

Deno.test("Reconciler says of each key once that another owner holds it, whichever come and go", async () => {
  const scene = new Scene();
  scene.desired!.set("/services/web/b", "ours b");
  scene.registry.put("/services/web/a", "theirs");
  await scene.start();
  scene.registry.delete("/services/web/a");
  scene.registry.put("/services/web/b", "theirs");
  await scene.clock.move(RESYNC);
  scene.registry.put("/services/web/a", "theirs");
  await scene.clock.move(RESYNC);
  assert.equal(scene.log.filter((event) => event === "key taken").length, 3);
  const keys = scene.takenKeys.map((keys) => keys.map((key) => key.at(-1)).join(" "));
  assert.deepEqual(keys, ["a", "b", "a b"]);
  await scene.stop();
});

Deno.test("Reconciler waits for etcd at start, says so once, and goes on when it is there", async () => {
  const scene = new Scene();
  scene.registry.failure = new Error("Cannot list: no connection");
  const starting = scene.start();
  await scene.clock.move(60_000);
  assert.deepEqual(scene.log, ["waiting for etcd"]);
  assert.equal(scene.reconciler.connected, false);
  scene.registry.failure = undefined;
  await scene.clock.move(2_000);
  await starting;
  assert.deepEqual(scene.log, ["waiting for etcd", "lease granted", "etcd answers again"]);
  assert.equal(scene.reconciler.connected, true);
  assert.equal(Object.keys(await scene.stored()).length, 2);
  await scene.stop();
});

Deno.test("Reconciler stops at once while it waits for etcd", async () => {
  const scene = new Scene();
  scene.registry.failure = new Error("away");
  const starting = scene.start();
  await scene.clock.move(1_000);
  await scene.stop();
  await starting;
});

Deno.test("Reconciler writes the last state after an outage, not every one in between", async () => {
  const scene = await new Scene().start();
  scene.registry.failure = new Error("away");
  for (let i = 0; i < 20; i++) {
    scene.desired!.set("/services/web/b", `ours ${i}`);
    await scene.poke();
    await scene.clock.move(100);
  }
  scene.registry.failure = undefined;
  await scene.clock.move(2_000);
  assert.equal((await scene.stored())["/services/web/b"], "ours 19");
  assert.equal(scene.registry.applied.length, 2);
  assert.equal(scene.log.filter((event) => event === "waiting for etcd").length, 1);
  await scene.stop();
});

Deno.test("Reconciler does not write again what was written though the reply got lost", async () => {
  const scene = await new Scene().start();
  scene.registry.deaf = true;
  scene.desired!.set("/services/web/b", "ours b");
  await scene.poke();
  scene.registry.deaf = false;
  await scene.clock.move(2_000);
  assert.equal((await scene.stored())["/services/web/b"], "ours b");
  assert.equal(scene.registry.applied.length, 2);
  await scene.stop();
});

Deno.test("Reconciler grants anew after an outage longer than the TTL", async () => {
  const scene = await new Scene().start();
  scene.registry.failure = new Error("away");
  await scene.clock.move(3 * TTL * 1000);
  scene.registry.failure = undefined;
  await scene.clock.move(2_100); // the longest pause between two tries, and a short one
  assert.equal(Object.keys(await scene.stored()).length, 2);
  assert.equal(scene.log.filter((event) => event === "lease granted").length, 2);
  await scene.stop();
});

Deno.test("Reconciler reads everything again after an outage: etcd may have been restored from a backup", async () => {
  const scene = await new Scene().start();
  scene.registry.failure = new Error("away");
  await scene.clock.move(TTL * 1000 / 3 + 1_000); // the keepalive finds out
  scene.registry.delete("/services/web/a");
  scene.registry.failure = undefined;
  await scene.clock.move(2_000);
  assert.equal((await scene.stored())["/services/web/a"], "ours a");
  await scene.stop();
});

Deno.test("Reconciler misses no change that comes while it is writing", async () => {
  const scene = await new Scene().start();
  scene.desired!.set("/services/web/b", "ours b");
  scene.reconciler.poke();
  await Promise.resolve();
  scene.desired!.set("/services/web/c", "ours c");
  scene.reconciler.poke();
  await settle();
  assert.equal(Object.keys(await scene.stored()).length, 4);
  await scene.stop();
});

Deno.test("Reconciler lets patient changes wait for company, but not for long", async () => {
  const scene = await new Scene().start();
  scene.desired!.set("/status/a", "starting");
  await scene.poke();
  assert.equal(scene.registry.applied.length, 1);
  await scene.clock.move(60);
  scene.desired!.set("/status/a", "up");
  scene.desired!.set("/services/web/b", "ours b");
  await scene.poke();
  assert.equal(scene.registry.applied.length, 2); // at once, and all in one transaction
  assert.equal((await scene.stored())["/status/a"], "up");
  await scene.clock.move(1_000);
  assert.equal(scene.registry.applied.length, 2);

  scene.desired!.set("/status/a", "unhealthy");
  await scene.poke();
  await scene.clock.move(60);
  scene.desired!.set("/status/b", "starting");
  await scene.poke(); // does not make the first wait longer
  await scene.clock.move(40);
  assert.equal((await scene.stored())["/status/b"], "starting");

  scene.desired!.set("/status/b", "up");
  await scene.poke();
  scene.desired!.set("/status/b", "starting"); // as it was: nothing to write
  await scene.poke();
  await scene.clock.move(10 * RESYNC);
  assert.equal(scene.registry.applied.length, 3);
  await scene.stop();
});

Deno.test("Reconciler looks only at the keys that may have changed, until it has to read everything again", async () => {
  const scene = await new Scene().start();
  scene.changed = new Set(["/services/web/b"]);
  scene.desired!.set("/services/web/b", "ours b").set("/services/web/c", "ours c");
  await scene.poke();
  assert.deepEqual(Object.keys(await scene.stored()).at(-1), "/services/web/b");
  scene.changed = new Set();
  scene.desired!.delete("/services/web/b");
  await scene.poke();
  assert.ok("/services/web/b" in await scene.stored());
  await scene.clock.move(RESYNC);
  assert.deepEqual(Object.keys(await scene.stored()), [
    HOST,
    "/services/web/a",
    "/services/web/c",
  ]);
  await scene.stop();
});

Deno.test("Reconciler forgets no changed key to a write that waits or fails", async () => {
  const scene = await new Scene().start();
  scene.changed = new Set(["/status/a"]);
  scene.desired!.set("/status/a", "starting");
  await scene.poke(); // it may wait
  scene.registry.failure = new Error("away");
  scene.changed = new Set(["/services/web/b"]);
  scene.desired!.set("/services/web/b", "ours b");
  await scene.poke(); // cannot be written
  scene.changed = new Set();
  scene.registry.failure = undefined;
  await scene.clock.move(500);
  assert.deepEqual(Object.keys(await scene.stored()), [
    HOST,
    "/services/web/a",
    "/services/web/b",
    "/status/a",
  ]);
  scene.changed = new Set(["/status/a"]);
  scene.desired!.set("/status/a", "paused");
  await scene.poke();
  scene.changed = new Set();
  await scene.poke(); // nothing new, and still not written
  await scene.clock.move(100);
  assert.equal((await scene.stored())["/status/a"], "paused");
  await scene.stop();
});

Deno.test("Reconciler goes on knowing which keys are taken while it looks at others", async () => {
  const scene = new Scene();
  scene.registry.put("/services/web/a", "theirs");
  await scene.start();
  scene.changed = new Set(["/services/web/b"]);
  scene.desired!.set("/services/web/b", "ours b");
  await scene.poke();
  scene.changed = new Set(["/services/web/a"]);
  scene.desired!.delete("/services/web/a");
  await scene.poke();
  assert.deepEqual(scene.takenKeys, [["/services/web/a"], []]);
  await scene.stop();
});

Deno.test("Reconciler writes the voucher after every other key", async () => {
  const scene = new Scene();
  scene.desired = new Map([[HOST, "ours"]]);
  for (let i = 0; i < 300; i++) scene.desired.set(`/services/web/${i}`, `ours ${i}`);
  await scene.start();
  const { applied } = scene.registry;
  assert.deepEqual(applied.map(({ puts }) => puts.has(HOST)), [false, false, true]);
  assert.equal([...applied.at(-1)!.puts.keys()].at(-1), HOST);
  await scene.stop();
});

Deno.test("Reconciler.deregister() removes every key at once; without it they stay until the lease ends", async () => {
  const scene = await new Scene().start();
  scene.registry.put("/services/web/z", "theirs");
  await scene.stop();
  assert.equal(Object.keys(await scene.stored()).length, 3);
  await scene.reconciler.deregister();
  assert.deepEqual(await scene.stored(), { "/services/web/z": "theirs" });
  await scene.reconciler.deregister();
});

Deno.test("Reconciler.read() gives up after its retries, no further apart than told; without, it waits for ever", async () => {
  const away = new MemoryRegistry();
  away.failure = new Error("away");
  const patient = new Scene(away, TTL, { retries: { attempts: 3, interval: 200 } });
  const reading = patient.reconciler.read(new AbortController().signal);
  const errors: Error[] = [];
  reading.catch((error) => errors.push(error));
  await patient.clock.move(250); // 50 to 100 ms, then 100 to 200 ms: not yet the third pause
  assert.equal(errors.length, 0);
  await patient.clock.move(250);
  const [error] = errors;
  assert.ok(error instanceof GaveUpError);
  assert.equal(error.message, "Cannot read from etcd after 4 tries");
  assert.equal((error.cause as Error).message, "away");

  const endless = new Scene(away);
  const stop = new AbortController();
  const waiting = endless.reconciler.read(stop.signal);
  await endless.clock.move(600_000);
  stop.abort();
  assert.equal((await waiting).size, 0);
});

Deno.test("Reconciler renews the lease as often as it is told to", async () => {
  const scene = new Scene(undefined, TTL, { refresh: 14_000 });
  let renewed = 0;
  const keepAlive = scene.registry.keepAlive.bind(scene.registry);
  scene.registry.keepAlive = (lease) => (renewed++, keepAlive(lease));
  await scene.start();
  await scene.clock.move(43_000);
  assert.equal(renewed, 3);
  assert.equal((await scene.registry.list(HOST)).size, 1);
  await scene.stop();
});

Deno.test("Reconciler deletes later what etcd did not let it delete, also what it deleted without hearing of it", async () => {
  const scene = await new Scene().start();
  const key = "/services/web/a";
  scene.desired!.delete(key);
  scene.registry.failure = new Error("away");
  await scene.poke();
  await scene.clock.move(9_000);
  scene.registry.failure = undefined;
  assert.equal((await scene.registry.list(key)).size, 1);
  await scene.clock.move(2_000);
  assert.equal((await scene.registry.list(key)).size, 0);
  await scene.stop();
});
