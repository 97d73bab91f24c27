// What a failing instance costs clients before anybody has taken it out of rotation: the edge's own failover, without a registrator.
import assert from "node:assert/strict";
import { accountFor, endingOf, methodOf } from "../scripts/bench/measure/account.ts";
import { Load } from "../scripts/bench/load/load.ts";
import { delay } from "../discovery/delay.ts";
import { dockerTest, eventually } from "../scripts/testing/docker.ts";
import { Edge, registration } from "./testing/edge.ts";

dockerTest("the edge tries another instance, and never gives up on a service", async (t) => {
  await using edge = await Edge.build();
  await edge.startEtcd();
  await edge.start({ RELOAD_MIN_INTERVAL: "50ms" });
  const addresses = [await edge.instance("a"), await edge.instance("b"), await edge.instance("c")];
  await edge.vouch();
  /** Puts the first `count` instances into rotation, and waits until it is so. */
  const rotate = async (count: number) => {
    await edge.delete("/services/", { prefix: true });
    for (const [i, address] of addresses.slice(0, count).entries()) {
      await edge.put({ [`/services/service/${i}`]: registration(address) });
    }
    await eventually(async () => {
      const config = await edge.config();
      for (const [i, address] of addresses.entries()) {
        assert.equal(config.includes(`server ${address}:`), i < count);
      }
      const [live] = (await edge.events("live")).slice(-1);
      assert.equal(live!.instances, count);
    });
    await eventually(async () => assert.equal((await edge.get()).status, 200));
  };

  for (const count of [1, 2]) {
    await t.step(
      `${count} of ${count} instances have failed: they are tried again at once`,
      async () => {
        await rotate(count);
        for (let i = 0; i < 3; i++) {
          assert.equal((await edge.get("/fail")).status, 502);
          const answers = [];
          for (let j = 0; j < 8; j++) answers.push((await edge.get()).status);
          assert.deepEqual(answers, Array(8).fill(200));
        }
      },
    );
  }

  await t.step(
    "SIGKILL under load: no GET fails, and no POST that was sent afterwards",
    async () => {
      await rotate(3);
      const load = new Load({
        address: { hostname: "127.0.0.1", port: edge.port },
        target: { host: "test", getPath: "/", postPath: "/", expect: "status" },
        mix: { seed: 1, postShare: 0.5, freshShare: 0.2 },
        ...{ rate: 300, maxRequests: 10_000, connections: 20, maxUnderWay: 500, timeoutMs: 10_000 },
      });
      await delay(500); // load for a while: nothing is waited for
      await edge.docker("kill", "instance-1");
      await edge.docker("wait", "instance-1");
      const dead = performance.timeOrigin + performance.now();
      await delay(1_500); // its key is still there: requests meet it
      const recording = await load.stop();
      const { sent, failures } = accountFor(recording);
      assert.ok(sent.GET > 200 && sent.POST > 200);
      const late = [...recording.ending.keys()].filter((i) =>
        endingOf(recording, i) !== "answered" &&
        (methodOf(recording, i) === "GET" || recording.startedAt + recording.sent[i]! > dead)
      );
      assert.deepEqual(late, [], JSON.stringify(failures));
    },
  );
});
