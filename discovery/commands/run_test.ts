// The commands as they are typed: help, mistakes, exit codes, completion.
import assert from "node:assert/strict";
import { COMMANDS } from "./names.ts";
import { runCommand } from "./run.ts";
import { sampleTerminal } from "./sample.ts";

async function type(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(args, {
    env: {},
    terminal: sampleTerminal(out, err),
    hostname: () => "c",
    heartbeat: () => Promise.resolve(undefined),
    signal: new AbortController().signal,
  });
  return { code, out: out.join(""), err: err.join("") };
}

Deno.test("every command has help with examples and exit codes", async () => {
  for (const name of Object.keys(COMMANDS)) {
    const { code, out } = await type(name, "--help");
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^Usage: rollcall ${name}`));
    assert.match(out, /Examples:\n {2}(source <\()?rollcall/);
    assert.match(out, /Exit codes: 0/);
  }
});

Deno.test("wrong arguments and settings exit 2 and say what is wrong", async () => {
  for (
    const [args, message] of [
      [["explain"], /missing required argument 'container'/],
      [["ls", "--jsn"], /unknown option '--jsn'\n.*--json/],
      [["completion", "tcsh"], /Allowed choices are bash, zsh, fish/],
      [["ls", "--etcd", "nowhere"], /flag --etcd: 'nowhere'/],
    ] as const
  ) {
    const { code, err } = await type(...args);
    assert.equal(code, 2);
    assert.match(err, message);
  }
});

Deno.test("an etcd that does not answer exits 3 and names the doctor", async () => {
  const { code, err } = await type("ls", "--etcd", "http://127.0.0.1:1");
  assert.equal(code, 3);
  assert.match(err, /Cannot list.*\n`rollcall doctor`/);
});

Deno.test("completion knows every command and flag, in a form that bash takes", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await type("completion", shell);
    assert.equal(code, 0);
    for (const word of [...Object.keys(COMMANDS), "reason", "nginx", "docker ps"]) {
      assert.ok(out.includes(word), `${shell} does not know ${word}`);
    }
  }
  const { out } = await type("completion", "bash");
  const script =
    `${out}\nCOMP_WORDS=(rollcall drain --re); COMP_CWORD=2; _rollcall; echo "\${COMPREPLY[*]}"
COMP_WORDS=(rollcall dr); COMP_CWORD=1; _rollcall; echo "\${COMPREPLY[*]}"`;
  const { stdout } = await new Deno.Command("bash", { args: ["-euc", script] }).output();
  assert.equal(new TextDecoder().decode(stdout), "--reason\ndrain\n");
});
