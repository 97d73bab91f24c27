import assert from "node:assert/strict";
import fc from "fast-check";
import { shell, tempDir } from "./shell.ts";

const files = ["log", "env_file"];

const BEGIN =
  "# >>> rollcall bootstrap: written by scripts/bootstrap, do not edit between these two lines >>>";
const END = "# <<< rollcall bootstrap <<<";
const block = (...lines: string[]) => [BEGIN, ...lines, END, ""].join("\n");

async function writeBlock(before: string | undefined, lines: string): Promise<string | undefined> {
  await using dir = await tempDir();
  const file = `${dir.path}/.env`;
  if (before !== undefined) await Deno.writeTextFile(file, before);
  const result = await shell(files, `printf '%s' "$2" | write_block "$1"`, { args: [file, lines] });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(
    (await Array.fromAsync(Deno.readDir(dir.path))).map((e) => e.name).filter((n) => n !== ".env"),
    [],
    "no temporary file is left",
  );
  return await Deno.readTextFile(file).catch(() => undefined);
}

Deno.test("write_block creates the file", async () => {
  assert.equal(await writeBlock(undefined, "A=1\nB=2"), block("A=1", "B=2"));
});

Deno.test("write_block replaces its own block and keeps the rest", async () => {
  const before = `HTTP_PORT=81\n${block("A=1")}# mine\nX=y`;
  assert.equal(await writeBlock(before, "A=2"), `HTTP_PORT=81\n# mine\nX=y\n${block("A=2")}`);
});

Deno.test("write_block takes its block away when there is nothing to write", async () => {
  assert.equal(await writeBlock(`X=1\n${block("A=1")}`, ""), "X=1\n");
});

Deno.test("write_block removes a file that held nothing but its block", async () => {
  assert.equal(await writeBlock(block("A=1"), ""), undefined);
});

Deno.test("write_block leaves a file alone that has no block and needs none", async () => {
  assert.equal(await writeBlock("X=1\r\n\r\nY=2", ""), "X=1\r\n\r\nY=2");
});

Deno.test("write_block finds its block in a file with Windows line ends", async () => {
  const before = `X=1\r\n${block("A=1").replaceAll("\n", "\r\n")}`;
  assert.equal(await writeBlock(before, "A=2"), `X=1\r\n${block("A=2")}`);
});

Deno.test("write_block does not touch the file when nothing changes", async () => {
  await using dir = await tempDir();
  const file = `${dir.path}/.env`;
  await Deno.writeTextFile(file, block("A=1"));
  const before = await Deno.stat(file);
  const result = await shell(files, `echo A=1 | write_block "$1"`, { args: [file] });
  assert.equal(result.code, 0, result.stderr);
  assert.equal((await Deno.stat(file)).ino, before.ino);
});

Deno.test("write_block writes through a link and keeps the file's mode", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/real`, "X=1\n", { mode: 0o600 });
  await Deno.symlink(`${dir.path}/real`, `${dir.path}/.env`);
  const result = await shell(files, `echo A=1 | write_block "$1"`, { args: [`${dir.path}/.env`] });
  assert.equal(result.code, 0, result.stderr);
  assert.equal((await Deno.lstat(`${dir.path}/.env`)).isSymlink, true);
  assert.equal(await Deno.readTextFile(`${dir.path}/real`), `X=1\n${block("A=1")}`);
  assert.equal((await Deno.stat(`${dir.path}/real`)).mode! & 0o777, 0o600);
});

Deno.test("write_block refuses a block without an end and keeps the file", async () => {
  await using dir = await tempDir();
  const file = `${dir.path}/.env`;
  const before = `X=1\n${BEGIN}\nA=1\nMINE=1\n`;
  await Deno.writeTextFile(file, before);
  const result = await shell(files, `echo A=2 | write_block "$1"`, { args: [file] });
  assert.equal(result.code, 1);
  assert.match(result.stderr, /^Cannot update .*: the line that begins bootstrap's block has no/);
  assert.equal(await Deno.readTextFile(file), before);
});

Deno.test("write_block, run twice, gives what once gives, and never loses a user's line", async () => {
  const line = fc.stringMatching(/^[ -~]{0,20}$/).filter((text) => text !== BEGIN && text !== END);
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
      const user = lines.map((text) => `${text}\n`).join("");
      const once = await writeBlock(user, "A=1");
      assert.equal(once, user + block("A=1"));
      assert.equal(await writeBlock(once, "A=1"), once);
      assert.equal((await writeBlock(once, "")) ?? "", user);
    }),
    { numRuns: 10 },
  );
});

async function envValue(name: string, text: string): Promise<string> {
  const result = await shell(files, `printf '%s' "$2" | env_value "$1"`, { args: [name, text] });
  return result.stdout.replace(/\n$/, "");
}

Deno.test("env_value reads .env as Compose does", async () => {
  const cases: readonly [text: string, value: string][] = [
    ["PORT=81", "81"],
    ["PORT=81\nPORT=82\n", "82"],
    ["export PORT=81", "81"],
    ["PORT = 81 # why", "81"],
    ['PORT="81"', "81"],
    ["PORT='8#1' # why", "8#1"],
    ["PORT=81\r\n", "81"],
    ["# PORT=81\nPORTS=82\nMY_PORT=83", ""],
    ["PORT=", ""],
    ["", ""],
  ];
  for (const [text, value] of cases) assert.equal(await envValue("PORT", text), value, text);
});

Deno.test("setting prefers the environment and does not read bootstrap's own block", async () => {
  await using dir = await tempDir();
  const file = `${dir.path}/.env`;
  const read = async (env: Record<string, string>) =>
    (await shell(files, `setting NGINX_IMAGE "$1"`, { args: [file], env })).stdout.trim();
  assert.equal(await read({}), "");
  await Deno.writeTextFile(file, block("NGINX_IMAGE=ours"));
  assert.equal(await read({}), "");
  await Deno.writeTextFile(file, `NGINX_IMAGE=mine\n${block("NGINX_IMAGE=ours")}`);
  assert.equal(await read({}), "mine");
  assert.equal(await read({ NGINX_IMAGE: "env" }), "env");
});
