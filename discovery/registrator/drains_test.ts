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

Deno.test("DrainWatch tells at every look, not while etcd is away, and ends with its signal", async () => {
  const clock = new FakeClock();
  const registry = new MemoryRegistry(clock.now);
  const told: string[] = [];
  const stop = new AbortController();
  const drained = (drains: ReadonlyMap<string, Drain>) => told.push([...drains.keys()].join(" "));
  const running = new DrainWatch({ registry, host: "h", drained, wait: clock.wait }).run(
    stop.signal,
  );
  await settle();
  registry.put("/rollcall/drain/h/a", "{}");
  await clock.move(EVERY);
  registry.failure = new Error("away");
  await clock.move(EVERY);
  registry.failure = undefined;
  registry.delete("/rollcall/drain/h/a");
  await clock.move(EVERY);
  assert.deepEqual(told, ["", "a", ""]);
  stop.abort();
  await running;
  assert.equal(clock.waiting, 0);
});
