import assert from "node:assert/strict";
import { fakeProgram, shell, tempDir } from "./shell.ts";

const files = ["log", "install", "apt", "chromium"];

/** Runs ensure_chromium on a machine that has these programs, each a script. */
async function ensure(
  programs: Record<string, string>,
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; ran: string }> {
  await using dir = await tempDir();
  const record = `${dir.path}/ran`;
  await Deno.writeTextFile(record, "");
  await Deno.mkdir(`${dir.path}/bin`);
  for (const [name, body] of Object.entries(programs)) {
    await fakeProgram(`${dir.path}/bin/${name}`, body.replaceAll("RECORD", record));
  }
  // Only what the functions themselves need besides.
  for (const name of ["env", "bash"]) {
    const found = new TextDecoder().decode(
      (await new Deno.Command("which", { args: [name] }).output()).stdout,
    ).trim();
    await Deno.symlink(found, `${dir.path}/bin/${name}`);
  }
  await fakeProgram(`${dir.path}/bin/id`, "echo 0");
  const { code, stdout } = await shell(files, `LOG_DIR=${dir.path}; ensure_chromium`, {
    env: { PATH: `${dir.path}/bin`, CHROMIUM_BIN: "", ROLLCALL_INSTALL: "", ...env },
  });
  return { code, stdout, ran: await Deno.readTextFile(record) };
}

const apt = { "apt-get": 'echo "$*" >>RECORD' };

Deno.test("ensure_chromium installs it with apt when there is none", async () => {
  const { code, ran } = await ensure(apt);
  assert.equal(code, 0);
  assert.match(ran, /install -y --no-install-recommends chromium/);
});

Deno.test("ensure_chromium installs nothing when there is one, or ROLLCALL_INSTALL=no", async () => {
  assert.equal((await ensure({ ...apt, chromium: "" })).ran, "");
  const refused = await ensure(apt, { ROLLCALL_INSTALL: "no" });
  assert.equal(refused.ran, "");
  assert.match(refused.stdout, /apt-get install chromium/);
});
