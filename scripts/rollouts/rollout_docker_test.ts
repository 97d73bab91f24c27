// scripts/rollout on the real stack, under a load that never ends: no request may fail in any of it.
import assert from "node:assert/strict";
import { accountFor } from "../bench/measure/account.ts";
import { Stack } from "../e2e/stack.ts";
import { docker, dockerTest, eventually } from "../testing/docker.ts";

dockerTest("scripts/rollout replaces instances without a failed request", async (t) => {
  const stack = new Stack();
  const ended = async (process: Deno.ChildProcess) => {
    const { code, stdout, stderr } = await process.output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return { code, text };
  };
  const leavesNothing = async () => {
    const all = await docker(
      ...["ps", "-aq", "--filter", `label=com.docker.compose.project=${stack.project}`],
      ...["--filter", "label=com.docker.compose.service=service"],
    );
    assert.equal(all.trim().split("\n").length, 2, "other containers than the two are there");
    assert.deepEqual([...(await stack.keys("/rollcall/drain")).keys()], []);
    const name = `rollcall-rollout-${stack.project}-service`;
    assert.equal((await docker("volume", "ls", "-q", "--filter", `name=${name}`)).trim(), "");
  };
  try {
    await stack.compose("up", "-d", "--build", "--scale", "service=2");
    await eventually(async () => assert.equal((await stack.answering(8)).size, 2), {
      within: 60_000,
    });
    const load = await stack.load(200, 2, { postShare: 0.5, freshShare: 0.5 });

    for (
      const [kind, env] of [
        ["a new configuration", { START_DELAY_MS: "1" }],
        ["one that exits at SIGTERM at once", {
          DRAIN_SECONDS: "0",
          SHUTDOWN_TIMEOUT_SECONDS: "0.001",
        }],
        ["another beside those that exit at once", { START_DELAY_MS: "2" }],
      ] as const
    ) {
      await t.step(`${kind}: all are replaced`, async () => {
        const before = await stack.containers();
        stack.set(env);
        const { code, text } = await ended(stack.rollout("service"));
        assert.equal(code, 0, text);
        const after = await stack.containers();
        assert.equal(after.length, 2);
        assert.ok(after.every((id) => !before.includes(id)), text);
        await leavesNothing();
        // Not --no-recreate: Compose would replace what is not as it wants it.
        await stack.compose("up", "-d", "--no-build", "--scale", "service=2", "service");
        assert.deepEqual(await stack.containers(), after, "Compose changed something afterwards");
      });
    }

    await t.step("a long request to one that exits at once is answered by it", async () => {
      const before = await stack.containers();
      const long = fetch(`${stack.url}/slow?ms=9000`, { signal: AbortSignal.timeout(20_000) });
      stack.set({ START_DELAY_MS: "3" });
      const { code, text } = await ended(stack.rollout("service"));
      assert.equal(code, 0, text);
      const answer = await long;
      assert.equal(answer.status, 200, await answer.text());
      const instance = answer.headers.get("x-instance") ?? "nobody";
      assert.ok(before.some((id) => id.startsWith(instance)), `${instance} answered`);
    });

    await t.step("new ones that never listen are removed, and the old serve on", async () => {
      const before = await stack.containers();
      stack.set({ START_DELAY_MS: "600000" });
      const { code, text } = await ended(stack.rollout("service", "--timeout", "4"));
      assert.equal(code, 1, text);
      assert.match(text, /is not in rotation after 4 s \(starting: /);
      assert.match(text, /Why .*/, "rollcall explain is not told");
      assert.deepEqual(await stack.containers(), before);
      await leavesNothing();
    });

    await t.step("Ctrl-C while they start undoes it", async () => {
      const before = await stack.containers();
      const process = stack.rollout("service");
      await eventually(async () => assert.equal((await stack.containers()).length, 4));
      Deno.kill(-process.pid, "SIGINT"); // the whole group, as a terminal does: while Compose starts them
      const { code, text } = await ended(process);
      assert.equal(code, 130, text);
      assert.deepEqual(await stack.containers(), before);
      await leavesNothing();
    });

    await t.step("killed midway, it is finished by the next one", async () => {
      const before = await stack.containers();
      stack.set({ START_DELAY_MS: "1500" });
      const process = stack.rollout("service");
      await eventually(async () => assert.equal((await stack.containers()).length, 4));
      process.kill("SIGKILL");
      await ended(process);
      const { code, text } = await ended(stack.rollout("service"));
      assert.equal(code, 0, text);
      assert.match(text, /An earlier rollout ended midway/);
      const after = await stack.containers();
      assert.ok(after.every((id) => !before.includes(id)), text);
      await leavesNothing();
    });

    await t.step(
      "killed while it drains, likewise; with --force the count is not lost",
      async () => {
        const before = await stack.containers();
        const process = stack.rollout("service", "--force");
        await eventually(async () => {
          assert.equal((await stack.keys("/rollcall/drain")).size, 2);
        }, { within: 30_000, every: 20 });
        process.kill("SIGKILL");
        await ended(process);
        const { code, text } = await ended(stack.rollout("service"));
        assert.equal(code, 0, text);
        const after = await stack.containers();
        assert.ok(after.every((id) => !before.includes(id)), text);
        await leavesNothing();
      },
    );

    await t.step("nothing to do is said, and nothing is done", async () => {
      const before = await stack.containers();
      const { code, text } = await ended(stack.rollout("service"));
      assert.equal(code, 0, text);
      assert.match(text, /nothing to do/);
      assert.deepEqual(await stack.containers(), before);
    });

    const { sent, failures } = accountFor(await load.stop());
    assert.ok(sent.POST > 1000, `only ${sent.POST} POSTs were sent`);
    assert.deepEqual(failures, []);
  } finally {
    await stack.down();
    await docker("volume", "rm", "-f", `rollcall-rollout-${stack.project}-service`);
  }
});
