// The benchmark's short form, as CI runs it: whether anything is lost, not how fast it is.

import assert from "node:assert/strict";
import { dockerTest } from "../testing/docker.ts";

dockerTest("nothing is lost while instances come and go: bench --quick", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", new URL("main.ts", import.meta.url).pathname, "--quick"],
    stdin: "null",
    // Seen while it runs: two minutes of silence look like a hang.
    stdout: "inherit",
    stderr: "inherit",
  });
  const { code } = await command.output();
  assert.equal(code, 0, "a promise is broken: see the lines that begin with BROKEN");
});
