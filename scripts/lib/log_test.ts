import assert from "node:assert/strict";
import { shell, tempDir } from "./shell.ts";

Deno.test("version_at_least compares number by number", async () => {
  const cases: readonly [version: string, minimum: string, fits: boolean][] = [
    ["2.40.3", "2.24.0", true],
    ["2.24.0", "2.24.0", true],
    ["2.9.10", "2.9.6", true],
    ["2.9.5", "2.9.6", false],
    ["2.10", "2.9.6", true],
    ["2.9", "2.9.6", false],
    ["0.29.1+ds1", "0.11.0", true],
    ["1.29.2", "2.24.0", false],
    ["", "2.24.0", false],
  ];
  for (const [version, minimum, fits] of cases) {
    const { code } = await shell(["log"], `version_at_least "$1" "$2"`, {
      args: [version, minimum],
    });
    assert.equal(code === 0, fits, `${version} >= ${minimum}`);
  }
});

Deno.test("say prints the time since the first script's start", async () => {
  const { stdout } = await shell(["log"], `now_ms() { echo 112345; }; say hello there`, {
    env: { ROLLCALL_STARTED_AT: "100000" },
  });
  assert.equal(stdout, "[ 12.3 s] hello there\n");
});

Deno.test("run_step keeps a step's output in a log and tells how long it took", async () => {
  await using dir = await tempDir();
  const { code, stdout } = await shell(["log"], `run_step nginx "building it" echo quiet`, {
    env: { XDG_CACHE_HOME: dir.path },
  });
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^\[ *\d+\.\d s\] nginx: building it\n\[ *\d+\.\d s\] nginx: done in \d+\.\d s\n$/,
  );
  assert.equal(await Deno.readTextFile(`${dir.path}/rollcall/logs/nginx.log`), "quiet\n");
});

Deno.test("run_step shows the end of a failed step's log and where it is", async () => {
  await using dir = await tempDir();
  // `set -e` must hold inside the step: what comes after the failing command must not run.
  const code =
    `step() { echo before; (exit 7); echo after; }; run_step nginx "building it" step; echo on`;
  const result = await shell(["log"], code, { env: { XDG_CACHE_HOME: dir.path } });
  assert.equal(result.code, 1);
  assert.match(
    result.stderr,
    /nginx: failed with exit code 7\. The end of .*\/nginx\.log:\n {4}before\n$/,
  );
  assert.doesNotMatch(result.stdout, /^on$/m);
});

Deno.test("a failed step ends the others, with what they started", async () => {
  await using dir = await tempDir();
  const code = `
    slow() { bash -c 'echo $$ > "$1"; sleep 60' slow "$1/pid" & wait; }
    start_step slow "takes a minute" slow "$1"
    until [ -s "$1/pid" ]; do sleep 0.05; done
    start_step bad "fails" false
    wait_step bad`;
  const result = await shell(["log"], code, {
    args: [dir.path],
    env: { XDG_CACHE_HOME: dir.path },
  });
  assert.equal(result.code, 1);
  const pid = Number(await Deno.readTextFile(`${dir.path}/pid`));
  // The signal was sent before the shell ended; the process needs a moment to go.
  const gone = await shell(
    [],
    `for i in {1..100}; do kill -0 "$1" || exit 0; sleep 0.05; done; exit 1`,
    {
      args: [String(pid)],
    },
  );
  assert.equal(gone.code, 0, "the slow step's child still runs");
});
