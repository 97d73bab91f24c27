// The contract on the twin in memory, and what only the twin can do.
import assert from "node:assert/strict";
import { MemoryRegistry } from "./memory_registry.ts";
import { registryContract } from "./registry_contract.ts";

registryContract((name, run) =>
  Deno.test(`MemoryRegistry: ${name}`, async () => {
    let now = 0;
    await run({
      registry: new MemoryRegistry(() => now),
      pass: (ttl, check) => {
        now += ttl * 1000;
        return check();
      },
    });
  })
);

Deno.test("MemoryRegistry: keepAlive() prolongs a lease by its whole duration", async () => {
  let now = 0;
  const registry = new MemoryRegistry(() => now);
  const lease = await registry.grant(10);
  now = 9_999;
  assert.equal(await registry.keepAlive(lease), 10);
  now = 19_998;
  assert.equal(await registry.keepAlive(lease), 10);
  now = 29_998;
  assert.equal(await registry.keepAlive(lease), 0);
});

Deno.test("MemoryRegistry: every call fails while etcd is away", async () => {
  const registry = new MemoryRegistry();
  const lease = await registry.grant(10);
  registry.failure = new Error("away");
  const calls = [
    () => registry.list("/"),
    () => registry.grant(10),
    () => registry.keepAlive(lease),
    () => registry.revoke(lease),
    () => registry.apply({ puts: new Map([["/a", "1"]]), deletes: [] }, lease),
  ];
  for (const call of calls) await assert.rejects(call(), /away/);
  registry.failure = undefined;
  assert.equal((await registry.list("/")).size, 0);
  assert.equal(await registry.keepAlive(lease), 10);
});
