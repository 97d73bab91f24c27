// The lines that log.sh writes.
import assert from "node:assert/strict";

const SCRIPT = new URL("log.sh", import.meta.url).pathname;

async function log(...args: readonly string[]) {
  const { stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", `source "${SCRIPT}"; log "$@"`, "bash", ...args],
    env: { TZ: "America/New_York" },
  }).output();
  return JSON.parse(new TextDecoder().decode(stderr));
}

Deno.test("log() writes one JSON line with the time in UTC", async () => {
  const before = Date.now();
  const { time, ...rest } = await log("info", "live", "generation", "0123abc", "check_ms", "12");
  assert.deepEqual(rest, { level: "info", event: "live", generation: "0123abc", check_ms: 12 });
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Math.abs(Date.parse(time) - before) < 10_000);
});

Deno.test("log() keeps any text valid JSON", async () => {
  const text = 'quote " backslash \\ line\nbreak\r tab\t bell\x07 é';
  assert.equal((await log("error", "x", "reason", text)).reason, text.replace("\x07", "?"));
});

Deno.test("log() writes only whole numbers as numbers", async () => {
  const { a, b, c, d } = await log("info", "x", "a", "0", "b", "-7", "c", "007", "d", "1e5");
  assert.deepEqual([a, b, c, d], [0, -7, "007", "1e5"]);
});
