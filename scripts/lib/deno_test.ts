import assert from "node:assert/strict";
import { fakeProgram, shell, tempDir } from "./shell.ts";

const files = ["log", "images", "deno"];

async function withDeno(version: string, code: string): Promise<string> {
  await using dir = await tempDir();
  await fakeProgram(
    `${dir.path}/deno`,
    `echo "deno ${version} (stable, release, x86_64-unknown-linux-gnu)"`,
  );
  const { stdout } = await shell(files, code, {
    env: { PATH: `${dir.path}:/usr/bin:/bin`, XDG_CACHE_HOME: dir.path },
  });
  return stdout.replaceAll(dir.path, "DIR").trim();
}

Deno.test("deno_on_path takes a Deno that fits, and no other", async () => {
  assert.equal(await withDeno("2.9.6", "deno_on_path"), "DIR/deno");
  assert.equal(await withDeno("2.14.0", "deno_on_path"), "DIR/deno");
  assert.equal(await withDeno("2.9.5", "deno_on_path"), "");
  assert.equal(await withDeno("2.6.10", "deno_on_path"), "");
  assert.equal(await withDeno("3.0.0", "deno_on_path"), "");
  assert.equal(await withDeno("something else", "deno_on_path"), "");
});

Deno.test("deno_from_image copies Deno out of the image once", async () => {
  await using dir = await tempDir();
  await fakeProgram(
    `${dir.path}/docker`,
    `echo "$1" >> ${dir.path}/calls
case $1 in
  create) echo container ;;
  cp) printf '#!/bin/sh\\necho "deno 2.9.8 (stable)"\\n' > "$4" ;;
esac`,
  );
  const env = { PATH: `${dir.path}:/usr/bin:/bin`, XDG_CACHE_HOME: dir.path };
  const first = await shell(files, "deno_from_image denoland/deno:2.9.8", { env });
  assert.equal(first.stdout, `${dir.path}/rollcall/deno/denoland_deno_2.9.8/deno\n`, first.stderr);
  const second = await shell(files, "deno_from_image denoland/deno:2.9.8", { env });
  assert.equal(second.stdout, first.stdout);
  assert.equal(await Deno.readTextFile(`${dir.path}/calls`), "create\ncp\nrm\n");
});

Deno.test("deno_from_image fails when the image's Deno does not run here", async () => {
  await using dir = await tempDir();
  await fakeProgram(
    `${dir.path}/docker`,
    `case $1 in create) echo c ;; cp) echo 'exit 1' > "$4" ;; esac`,
  );
  const { code } = await shell(files, "deno_from_image denoland/deno:2.9.8", {
    env: { PATH: `${dir.path}:/usr/bin:/bin`, XDG_CACHE_HOME: dir.path },
  });
  assert.equal(code, 1);
});
