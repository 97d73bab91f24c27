// The product, end to end: scaling, killing, bad input and faults on real Docker, etcd, confd and nginx.
import assert from "node:assert/strict";
import { delay } from "../../discovery/delay.ts";
import { docker, dockerTest, eventually } from "../testing/docker.ts";
import { Stack } from "./stack.ts";
import { accountFor } from "../bench/measure/account.ts";
import { livesOf, turnoverOf } from "../bench/measure/lives.ts";
import { EventWatch } from "../bench/stack/events.ts";

dockerTest("the stack follows docker compose up --scale", async (t) => {
  const stack = new Stack();
  const strangers: string[] = [];
  // Each step goes on from where the one before it ended: after a failed one the rest would only confuse.
  const step = async (name: string, fn: () => Promise<void>) => {
    if (!await t.step(name, fn)) throw new Error(`Stopped after: ${name}`);
  };
  try {
    await step("an unknown service flag is Compose's error, and nothing is started", async () => {
      await assert.rejects(
        stack.compose("up", "-d", "--sclae", "service=3"),
        /unknown flag: --sclae/,
      );
      assert.deepEqual(await stack.leftovers(), []);
    });

    await step(
      "without etcd the registrator waits and says so, and nginx answers 503 with JSON",
      async () => {
        await stack.compose("up", "-d", "--build", "nginx", "registrator");
        await stack.compose("stop", "etcd");
        await stack.compose("up", "-d", "--build", "--no-deps", "--force-recreate", "registrator");
        await eventually(async () => {
          const log = await stack.compose("logs", "registrator");
          assert.match(log, /waiting for etcd/);
        }, { within: 30_000 });
        const { status, headers, body } = await eventually(() => stack.get("/"), {
          within: 20_000,
        });
        assert.equal(status, 503);
        assert.ok(Number(headers.get("retry-after")) > 0);
        assert.match(headers.get("content-type") ?? "", /json/);
        assert.equal(JSON.parse(body).status, 503);
        await stack.compose("start", "etcd");
        await eventually(async () => assert.equal((await stack.keys("/rollcall/hosts/")).size, 1), {
          within: 30_000,
        });
      },
    );

    await step("scale 1: one instance answers", async () => {
      await stack.compose("up", "-d", "--build", "--scale", "service=1");
      await eventually(() => inRotation(stack, 1), { within: 60_000 });
    });

    await step("scale 5: exactly the five running instances are in rotation", async () => {
      await stack.scale(5);
      await eventually(() => inRotation(stack, 5));
    });

    await step(
      "scale 2: the three leaving ones get no new request soon after their stop signal",
      async () => {
        const load = await stack.load(100, 5);
        const watch = new EventWatch(stack.project, Date.now());
        await stack.scale(2);
        await eventually(() => inRotation(stack, 2));
        const recording = await load.stop();
        await watch.stop();
        assert.deepEqual(accountFor(recording).failures, []);
        const { killToLast } = turnoverOf(livesOf(watch.events, new Map(), recording));
        assert.equal(killToLast.length, 3);
        // The promise of 300 ms is measured by the benchmark; a busy machine gets a generous bound here.
        assert.ok(Math.max(...killToLast) < 1_000, `last requests after ${killToLast} ms`);
      },
    );

    await step("scaling 3 → 1 → 3 under load fails no request", async () => {
      await stack.scale(3);
      await eventually(() => inRotation(stack, 3));
      const load = await stack.load(200);
      for (const count of [1, 3, 1, 3]) {
        await stack.scale(count);
        await eventually(() => inRotation(stack, count));
      }
      const { sent, failures } = accountFor(await load.stop());
      assert.ok(sent.GET > 500, `only ${sent.GET} requests were sent`);
      assert.deepEqual(failures, []);
    });

    await step("an instance that is SIGKILLed leaves, and no GET fails", async () => {
      const load = await stack.load(100);
      const [victim] = await stack.containers();
      await docker("kill", "--signal", "KILL", victim!);
      await eventually(async () => {
        const names = [...(await stack.registrations()).values()].map(({ container }) => container);
        const name = (await docker("inspect", "--format", "{{.Name}}", victim!)).trim().slice(1);
        assert.ok(!names.includes(name));
      });
      assert.deepEqual(accountFor(await load.stop()).failures, []);
      await docker("start", victim!);
      await eventually(() => inRotation(stack, 3));
    });

    await step("a paused instance leaves and comes back", async () => {
      const [instance] = await stack.containers();
      await docker("pause", instance!);
      await eventually(async () => assert.equal((await stack.registrations()).size, 2));
      await docker("unpause", instance!);
      await eventually(() => inRotation(stack, 3));
    });

    await step("a malformed value put into etcd by hand harms nobody", async () => {
      await stack.etcdctl("put", "/services/service/by-hand", "}{ not JSON; server 6.6.6.6;");
      await stack.etcdctl("put", "/services/evil; daemon on;/x", '{"address":"10.0.0.1","port":1}');
      await stack.scale(4); // the configuration must still change
      await eventually(() => inRotation(stack, 4));
      await stack.etcdctl("del", "--prefix", "/services/service/by-hand");
      await stack.etcdctl("del", "--prefix", "/services/evil");
      await stack.scale(3);
      await eventually(() => inRotation(stack, 3));
    });

    await step(
      "a wrong port label and a container off the network get a status that says what to do",
      async () => {
        const image =
          (await docker("inspect", "--format", "{{.Config.Image}}", (await stack.containers())[0]!))
            .trim();
        for (
          const [name, ...more] of [
            [
              `${stack.project}-wrongport`,
              "--network",
              `${stack.project}_edge`,
              "--label",
              "SERVICE_99999_NAME=x",
            ],
            [
              `${stack.project}-elsewhere`,
              "--network",
              "bridge",
              "--expose",
              "8080",
              "--label",
              "SERVICE_NAME=lost",
            ],
          ]
        ) {
          strangers.push(name!);
          await docker("run", "-d", "--name", name!, ...more, image);
        }
        await eventually(async () => {
          const [status] = (await stack.statuses(strangers[0]!)).filter(({ state }) =>
            state === "rejected"
          );
          assert.match(status?.reason ?? "", /SERVICE_99999_NAME.*1 to 65535/);
          const [other] = await stack.statuses(strangers[1]!);
          assert.equal(other?.state, "rejected");
          assert.match(other?.reason ?? "", new RegExp(`Add the network ${stack.project}_edge`));
        });
        await docker("rm", "-f", ...strangers.splice(0));
        await eventually(() => inRotation(stack, 3));
      },
    );

    await step("restarting the registrator, and SIGKILLing it, takes nobody out", async () => {
      const load = await stack.load(100);
      const before = [...(await stack.keys("/services/"))];
      await stack.compose("restart", "registrator");
      await stack.compose("kill", "--signal", "KILL", "registrator");
      await stack.compose("start", "registrator");
      await stack.scale(4); // its successor works
      await eventually(() => inRotation(stack, 4));
      const after = await stack.keys("/services/");
      for (const [key, value] of before) assert.equal(after.get(key), value);
      assert.deepEqual(accountFor(await load.stop()).failures, []);
    });

    await step("with etcd away nginx serves on, and a restart of nginx too", async () => {
      await stack.compose("stop", "etcd");
      const load = await stack.load(50);
      await delay(1_000); // load for a while: nothing is waited for
      assert.deepEqual(accountFor(await load.stop()).failures, []);
      await stack.compose("restart", "nginx");
      await eventually(async () => assert.equal((await stack.get("/")).status, 200), {
        within: 20_000,
      });
      await stack.compose("start", "etcd");
      await stack.scale(2);
      await eventually(() => inRotation(stack, 2), { within: 60_000 });
    });

    await step("nobody serves: 503 with Retry-After, as JSON and as a page", async () => {
      await stack.compose("stop", "service");
      const { headers, body } = await eventually(async () => {
        const answer = await stack.get("/", { accept: "application/json" });
        assert.equal(answer.status, 503);
        return answer;
      });
      assert.ok(Number(headers.get("retry-after")) > 0);
      assert.equal(JSON.parse(body).status, 503);
      const page = await stack.get("/", { accept: "text/html" });
      assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    });

    await step("down leaves no container, network or volume behind", async () => {
      await stack.down();
      assert.deepEqual(await stack.leftovers(), []);
    });
  } finally {
    if (strangers.length > 0) await docker("rm", "-f", ...strangers).catch(() => {});
    if ((await stack.leftovers()).length > 0) {
      console.error(await stack.compose("ps", "-a").catch(String));
      console.error(
        await stack.compose("logs", "--tail", "30", "nginx", "registrator", "etcd").catch(String),
      );
      await stack.down();
    }
  }
});

/** Throws unless docker, etcd and nginx agree on exactly `count` instances. */
async function inRotation(stack: Stack, count: number): Promise<void> {
  const running = (await stack.containers()).map((id) => id.slice(0, 12));
  assert.equal(running.length, count, `${running.length} instances run`);
  const registered = [...(await stack.registrations()).values()].map(({ container }) => container);
  assert.equal(registered.length, count, `registered: ${registered}`);
  const answering = [...await stack.answering(count * 4)].sort();
  assert.deepEqual(answering, running.sort());
}
