// What a fault's hand does to a container, on a real one.
import assert from "node:assert/strict";
import { testImage } from "../../../discovery/test_image.ts";
import { docker, dockerTest, eventually } from "../../testing/docker.ts";
import { signalFirst } from "./hand.ts";

const IMAGE = testImage("NGINX_IMAGE", "nginx:1.30");

dockerTest("Docker brings back who was held by a fault, when it ends by itself later", async () => {
  const name = `rollcall-test-held-${crypto.randomUUID().slice(0, 8)}`;
  const start = (name: string, ...more: readonly string[]) =>
    docker(
      ...["run", "--detach", "--network", "none", "--entrypoint", "sleep", "--name", name],
      ...[...more, IMAGE, "infinity"],
    );
  const state = async () => {
    const format = "{{.State.Status}} {{.RestartCount}} {{.State.Pid}}";
    const [status, restarts, pid] = (await docker("inspect", "--format", format, name)).split(" ");
    return { status, restarts: Number(restarts), pid: pid!.trim() };
  };
  try {
    await start(`${name}-hand`, "--pid", "host", "--user", "root");
    await start(name, "--restart", "unless-stopped");
    const stat = async () =>
      await docker("exec", `${name}-hand`, "cat", `/proc/${(await state()).pid}/stat`);
    await signalFirst(`${name}-hand`, name, "STOP");
    assert.match(await stat(), /\) T /);
    await signalFirst(`${name}-hand`, name, "CONT");
    assert.match(await stat(), /\) S /);
    await signalFirst(`${name}-hand`, name, "KILL");
    await eventually(async () => {
      const { status, restarts } = await state();
      assert.deepEqual({ status, restarts }, { status: "running", restarts: 1 });
    });
  } finally {
    await docker("rm", "--force", name, `${name}-hand`);
  }
});
