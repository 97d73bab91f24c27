// Who is drained by hand, as heard from the keys.
import assert from "node:assert/strict";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import { FakeClock, settle } from "../fake_clock.ts";
import type { Drain } from "../registration.ts";
import { drainsIn, DrainWatch, EVERY } from "./drains.ts";

Deno.test("drainsIn() takes the keys of this host; a value that is no JSON drains all the same", () => {
  const entry = (value: string) => ({ value, lease: "0" });
  const since = "2026-11-23T03:00:00.000Z";
  const drains = drainsIn(
    new Map([
      ["/rollcall/drain/h/a", entry(JSON.stringify({ since, reason: "r", more: 1 }))],
      ["/rollcall/drain/h/b", entry("")],
      ["/rollcall/drain/h/c", entry('{"since":"yesterday"}')],
      ["/rollcall/drain/h2/d", entry("{}")],
      ["/rollcall/hosts/h", entry("{}")],
    ]),
    "h",
  );
  assert.deepEqual([...drains], [["a", { since, reason: "r" }], ["b", {}], ["c", {}]]);
});

/** A watch on a registry whose time the test moves; `told` has what was drained at each look. */
function scene() {
  const clock = new FakeClock();
  const registry = new MemoryRegistry(clock.now);
  const told: string[] = [];
  const stop = new AbortController();
  const drained = (drains: ReadonlyMap<string, Drain>) => told.push([...drains.keys()].join(" "));
  const watch = new DrainWatch({ registry, host: "h", drained, wait: clock.wait });
  const end = async (running: Promise<void>) => {
    stop.abort();
    await running;
    assert.equal(clock.waiting, 0);
  };
  return { clock, registry, told, run: () => watch.run(stop.signal), end };
}

Deno.test("DrainWatch tells of a key at once, without any time passing", async () => {
  const { registry, told, run, end } = scene();
  const running = run();
  await settle();
  registry.put("/rollcall/drain/h/a", "{}");
  await settle();
  assert.equal(told.at(-1), "a");
  registry.delete("/rollcall/drain/h/a");
  await settle();
  assert.equal(told.at(-1), "");
  const looks = told.length;
  registry.put("/rollcall/drain/h2/a", "{}");
  await settle();
  assert.equal(told.length, looks, "it looked because of another host's drain");
  await end(running);
});

Deno.test("DrainWatch opens a watch that broke anew, and learns what was missed", async () => {
  const { clock, registry, told, run, end } = scene();
  const running = run();
  await settle();
  registry.cutWatches();
  await settle();
  registry.put("/rollcall/drain/h/a", "{}"); // nobody hears it
  await settle();
  assert.equal(told.at(-1), "");
  await clock.move(200);
  assert.equal(told.at(-1), "a");
  await end(running);
});

Deno.test("DrainWatch looks from time to time, whatever the watch tells; not told while etcd is away", async () => {
  const { clock, registry, told, run, end } = scene();
  registry.watch = (_, __, signal) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  const running = run();
  await settle();
  registry.put("/rollcall/drain/h/a", "{}");
  await clock.move(EVERY);
  registry.failure = new Error("away");
  await clock.move(EVERY);
  registry.failure = undefined;
  registry.delete("/rollcall/drain/h/a");
  await clock.move(EVERY);
  assert.deepEqual(told, ["", "a", ""]);
  await end(running);
});
