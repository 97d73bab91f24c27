// Several hosts' daemons and one etcd that forgets: while anybody vouches, whoever runs all along is there.
import assert from "node:assert/strict";
import fc from "fast-check";
import { MemoryEngine } from "../docker/memory_engine.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import type { Changes } from "../etcd/registry.ts";
import { FakeClock, settle } from "../fake_clock.ts";
import { HOSTS, SERVICES } from "../keys.ts";
import { createLog } from "../log.ts";
import { Registrator } from "./registrator.ts";

/** More of them find more: PROPERTY_RUNS=100000 deno test … */
const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 60);
const NAMES = ["h", "i", "j"] as const;
const TTL = 15;
/** After any trouble: everybody has looked, has waited for others as long as it may, and has written. */
const CALM = 3 * TTL * 1000;

/** Looks, after each change, as the edge does. */
class WatchedRegistry extends MemoryRegistry {
  expected: readonly string[] = [];
  /** What the edge was led to believe that is not so. */
  readonly untrue: string[] = [];
  believed = 0;

  override async apply(changes: Changes, lease: string): Promise<number> {
    try {
      return await super.apply(changes, lease);
    } finally {
      this.look();
    }
  }

  private look(): void {
    const keys = this.standing;
    if (!keys.some((key) => key.startsWith(HOSTS))) return;
    this.believed++;
    for (const key of this.expected) if (!keys.includes(key)) this.untrue.push(key);
  }
}

class Host {
  readonly engine: MemoryEngine;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private passing = false;

  constructor(readonly name: string, clock: FakeClock, registry: MemoryRegistry, i: number) {
    this.engine = new MemoryEngine(clock.now);
    this.engine.start(this.container("steady"));
    const registrator = new Registrator({
      ...{ engine: this.engine, registry, host: name, networks: ["edge"], explicit: false },
      ...{ tags: [], ttl: TTL, resync: 30_000, version: "0.1.0" },
      probe: () => Promise.resolve({ ok: true, detail: "connected" }),
      log: createLog("error", () => {}),
      // Nobody's looks fall together.
      wait: (ms, signal) => clock.wait(ms + i * 7, signal),
      now: clock.now,
    });
    this.running = registrator.run(this.stopping.signal);
  }

  /** The one that is there all along. */
  get key(): string {
    return `${SERVICES}nginx/${this.name}:web-steady:80`;
  }

  /** Another one comes or goes. */
  change(): void {
    this.passing = !this.passing;
    if (this.passing) this.engine.start(this.container("passing"));
    else this.engine.die("passing");
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private container(id: string) {
    const address = `172.20.${NAMES.findIndex((name) => name === this.name)}.${id.length}`;
    return sampleContainer({ id, networks: [attached("edge", address)] });
  }
}

const STEPS = ["wipe", "purge", "etcdAway", "etcdBack", "change", "wait", "waitLong"] as const;
const step = fc.tuple(fc.constantFrom(...STEPS), fc.nat(2), fc.nat(4_000));

/** One run; returns how often the edge believed what stood there. */
async function run(steps: ReadonlyArray<readonly [(typeof STEPS)[number], number, number]>) {
  const clock = new FakeClock();
  const registry = new WatchedRegistry(clock.now);
  const hosts = NAMES.map((name, i) => new Host(name, clock, registry, i));
  await clock.move(CALM);
  registry.expected = hosts.map(({ key }) => key);
  let away: number | undefined;
  const back = () => {
    // Away for less than a TTL: it was down, as leases are cut short by nobody then. For longer: all of them have ended.
    // In between, where a registrator is cut off from an etcd that lives, its instances leave as its lease ends.
    if (away !== undefined && clock.now() - away < TTL * 1000) registry.restart();
    registry.failure = away = undefined;
  };
  for (const [what, who, n] of steps) {
    if (what === "wipe") registry.wipe();
    else if (what === "purge") {
      for (const key of registry.standing) registry.delete(key);
    } else if (what === "etcdAway") {
      registry.failure = new Error("Cannot write: away");
      away ??= clock.now();
    } else if (what === "etcdBack") back();
    else if (what === "change") hosts[who]!.change();
    else await clock.move(what === "wait" ? n : 10 * n);
    await settle();
  }
  back();
  await clock.move(CALM);
  assert.deepEqual(registry.untrue, []);
  const vouchers = registry.standing.filter((key) => key.startsWith(HOSTS));
  assert.equal(vouchers.length, NAMES.length, "somebody waits for ever");
  await Promise.all(hosts.map((host) => host.stop()));
  await settle();
  assert.equal(clock.waiting, 0, "somebody still waits");
  return registry.believed;
}

Deno.test("Registrators of several hosts, whatever etcd forgets: while anybody vouches, whoever runs all along is there", async () => {
  let believed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25, size: "max" }), async (steps) => {
      believed += await run(steps);
    }),
    { numRuns: RUNS },
  );
  assert.ok(believed > RUNS * 3, `the edge believed too little: ${believed}`);
});
