import assert from "node:assert/strict";
import { aimsTable } from "./terminal.ts";

Deno.test("aimsTable() tells kept from broken, and leaves out what was not measured", () => {
  const text = aimsTable([
    { aim: "failed GETs", wanted: "0", measured: "0", kept: true },
    { aim: "failed POSTs", wanted: "0", measured: "2", kept: false },
    { aim: "throughput", wanted: "≥ 0.97", measured: "not measured", kept: undefined },
  ]);
  assert.match(text, /failed GETs .* kept/);
  assert.match(text, /failed POSTs .* BROKEN/);
  assert.ok(!text.includes("throughput"));
});
