// The contract on a real etcd in a container, and how calls end when it is paused, restarted or replaced.
import assert from "node:assert/strict";
import { docker, dockerTest, eventually, freePort } from "../../scripts/testing/docker.ts";
import { EtcdContainer } from "./etcd_container.ts";
import { EtcdRegistry } from "./etcd_registry.ts";
import { LeaseLostError } from "./registry.ts";
import { registryContract } from "./registry_contract.ts";

const DEADLINE = 500;
/** Room for a busy machine. */
const LATE = 1_500;

/** How a call ended: its error, and after how many ms. */
async function ended(call: Promise<unknown>): Promise<[message: string, ms: number]> {
  const start = performance.now();
  const message = await call.then(() => "", (error) => (error as Error).message);
  return [message, performance.now() - start];
}

dockerTest("EtcdRegistry keeps the contract on a real etcd", async (t) => {
  const etcd = new EtcdContainer(DEADLINE);
  const { registry } = etcd;
  try {
    await etcd.start();
    const tests: Array<[string, () => Promise<void>]> = [];
    registryContract((name, run) =>
      tests.push([name, async () => {
        const deletes = [...(await registry.list("/")).keys()];
        await registry.apply({ puts: new Map(), deletes }, "0");
        // etcd looks twice a second which leases have ended.
        await run({ registry, pass: (_, check) => eventually(check, { within: 15_000 }) });
      }])
    );
    for (const [name, run] of tests) await t.step(name, run);

    await t.step(
      "calls to a paused etcd end by their deadline, and succeed again soon after it goes on",
      async () => {
        const lease = await registry.grant(60);
        await docker("pause", etcd.name);
        const calls = [
          registry.list("/"),
          registry.grant(60),
          registry.keepAlive(lease),
          registry.revoke(lease),
          registry.apply({ puts: new Map([["/a", "1"]]), deletes: [] }, lease),
        ];
        for (const [message, ms] of await Promise.all(calls.map(ended))) {
          assert.match(message, /^Cannot .*DEADLINE_EXCEEDED/);
          assert.ok(ms >= DEADLINE - 50 && ms < DEADLINE + LATE, `${message}: ${ms} ms`);
        }
        await docker("unpause", etcd.name);
        const back = await etcd.answers(10_000);
        assert.ok(back < 5_000, `back after ${back} ms`);
        // Revoked or not, it did not hang: what a lost reply did is found out by reading again.
        assert.ok([0, 60].includes(await registry.keepAlive(lease)));
      },
    );

    await t.step(
      "calls to a stopped etcd fail soon, and succeed within seconds after it is started; keys and leases survive",
      async () => {
        const lease = await registry.grant(60);
        await registry.apply({ puts: new Map([["/a", "1"]]), deletes: [] }, lease);
        await docker("kill", etcd.name);
        const [message, ms] = await ended(registry.list("/"));
        assert.match(message, /^Cannot list \/: /);
        assert.ok(ms < DEADLINE + LATE, `${ms} ms`);
        await docker("start", etcd.name);
        const back = await etcd.answers(20_000);
        assert.ok(back < 10_000, `back after ${back} ms`);
        assert.deepEqual((await registry.list("/a")).get("/a"), { value: "1", lease });
        assert.equal(await registry.keepAlive(lease), 60);
      },
    );

    await t.step(
      "an etcd that was replaced by an empty one knows neither keys nor leases, and takes new ones",
      async () => {
        const lease = await registry.grant(60);
        await registry.apply({ puts: new Map([["/a", "1"]]), deletes: [] }, lease);
        await etcd.remove();
        await etcd.start();
        assert.equal((await registry.list("/")).size, 0);
        assert.equal(await registry.keepAlive(lease), 0);
        const changes = { puts: new Map([["/a", "2"]]), deletes: [] };
        await assert.rejects(registry.apply(changes, lease), LeaseLostError);
        await registry.apply(changes, await registry.grant(60));
        assert.equal((await registry.list("/")).size, 1);
      },
    );
  } finally {
    await etcd.end();
  }
});

dockerTest("EtcdRegistry says what it cannot do where nobody listens", async () => {
  const registry = new EtcdRegistry({
    endpoints: [`http://127.0.0.1:${freePort()}`],
    deadline: DEADLINE,
  });
  const [message, ms] = await ended(registry.grant(10));
  assert.match(message, /^Cannot grant a lease: .*UNAVAILABLE/);
  assert.ok(ms < DEADLINE + LATE, `${ms} ms`);
  registry.close();
});
