// An application that exits at its stop signal at once, with Compose's pre_stop hook: out of rotation before the signal.
import assert from "node:assert/strict";
import { accountFor } from "../bench/measure/account.ts";
import { Load } from "../bench/load/load.ts";
import { docker, dockerTest, eventually } from "../testing/docker.ts";
import { Stack } from "./stack.ts";

dockerTest("a pre_stop hook drains an abrupt application before its stop signal", async (t) => {
  const stack = new Stack({ COMPOSE_FILE: "compose.yaml:scripts/e2e/drain_hook.compose.yaml" });
  const settled = (count: number) =>
    eventually(async () => {
      assert.equal((await stack.registrations()).size, count);
      assert.equal((await stack.answering(count * 4)).size, count);
    }, { within: 60_000 });
  try {
    await stack.compose("up", "-d", "--build", "--scale", "service=3");
    await settled(3);

    await t.step("3 → 1 → 3 under load with POSTs fails no request", async () => {
      const load = new Load({
        address: { hostname: "127.0.0.1", port: stack.port },
        target: { host: "e2e", getPath: "/", postPath: "/echo", expect: "service" },
        mix: { seed: 1, postShare: 0.5, freshShare: 0 },
        ...{ rate: 300, maxRequests: 30_000, connections: 20 },
        ...{ maxUnderWay: 500, timeoutMs: 10_000 },
      });
      for (const count of [1, 3, 1, 3]) {
        await stack.scale(count);
        await settled(count);
      }
      const account = accountFor(await load.stop());
      assert.ok(account.sent.POST > 500, `only ${account.sent.POST} POSTs were sent`);
      assert.deepEqual(account.failures, []);
    });

    await t.step("the instance is out while the hook runs, before any signal", async () => {
      const since = new Date();
      const stopping = stack.scale(2);
      await eventually(async () => {
        assert.equal((await stack.registrations()).size, 2);
        assert.equal((await stack.killedAt(since)).size, 0, "the signal came first");
      }, { every: 20 });
      await stopping;
      assert.equal((await stack.killedAt(since)).size, 1);
    });

    await t.step("the same command without a stop: draining, with the reason", async () => {
      const [id] = await stack.containers();
      const name = (await docker("inspect", "--format", "{{.Name}}", id!)).trim().slice(1);
      await docker("exec", id!, "sleep", "1");
      const [status] = await stack.statuses(name);
      assert.equal(status?.state, "draining");
      assert.match(status?.reason ?? "", /sleep 1 has begun in it \(SERVICE_DRAIN\)/);
    });
  } finally {
    await stack.down();
  }
});
