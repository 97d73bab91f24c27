// scripts/rollout as a plugin of the Docker client: what it says of itself, and which words it gets.
import assert from "node:assert/strict";
import { run } from "../testing/docker.ts";

const script = new URL("../rollout", import.meta.url).pathname;

/** Linked under that name, as into ~/.docker/cli-plugins. */
async function linked(name: string, ...args: readonly string[]): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.symlink(script, `${folder}/${name}`);
    return await run(`${folder}/${name}`, args);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("scripts/rollout tells the Docker client what it is", async () => {
  const metadata = JSON.parse(await linked("docker-rollcall", "docker-cli-plugin-metadata"));
  assert.equal(metadata.SchemaVersion, "0.1.0");
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assert.equal(metadata.Version, version);
});

Deno.test("scripts/rollout takes the words as the Docker client hands them over", async () => {
  for (
    const words of [
      ["rollcall", "rollout", "--help"],
      ["--context", "default", "rollcall", "rollout", "--help"],
    ]
  ) {
    assert.match(await linked("docker-rollcall", ...words), /^Usage: rollout /);
  }
  assert.match(await linked("docker-rollout", "rollout", "--help"), /^Usage: rollout /);
  await assert.rejects(
    linked("docker-rollcall", "rollcall", "up"),
    /Usage: docker rollcall rollout/,
  );
});
