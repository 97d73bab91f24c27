// The faults' short form, as CI runs it: a fixed seed on the real stack, with bounds for a busy machine.
import assert from "node:assert/strict";
import { dockerTest } from "../testing/docker.ts";

dockerTest(
  "whatever fails, alone or together, nothing is lost that is promised: chaos",
  async () => {
    const command = new Deno.Command(Deno.execPath(), {
      // Of 6,000 seeds one whose first eight episodes strike the most parts in the most ways.
      args: [
        ...["run", "--allow-all", new URL("main.ts", import.meta.url).pathname],
        ...["--minutes", "2.4", "--dense", "--seed", "4925", "--rate", "100", "--patience", "3"],
      ],
      stdin: "null",
      // Seen while it runs: minutes of silence look like a hang.
      stdout: "inherit",
      stderr: "inherit",
    });
    const { code } = await command.output();
    assert.equal(code, 0, "a promise is broken: see the lines that begin with BROKEN");
  },
);
