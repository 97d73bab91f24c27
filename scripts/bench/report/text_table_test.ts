import assert from "node:assert/strict";
import { textTable } from "./text_table.ts";

Deno.test("textTable() lines columns up, numbers to the right", () => {
  assert.equal(
    textTable(["", "failed", "p50"], [["rollcall", "0", "75"], ["a → b", "4,914", "–"]]),
    [
      "          failed  p50",
      "────────  ──────  ───",
      "rollcall       0   75",
      "a → b      4,914    –",
    ].join("\n"),
  );
});
