import assert from "node:assert/strict";
import { createLog, errorFields, type Level } from "./log.ts";

function capture(level: Level, terminal = false) {
  const lines: string[] = [];
  const now = () => new Date("2026-11-23T03:04:05.678Z");
  return { lines, log: createLog({ level, terminal, now, write: (line) => lines.push(line) }) };
}

Deno.test("log writes one JSON object per event", () => {
  const { lines, log } = capture("info");
  log("info", "listening", { port: 8080, note: "two\nlines" });
  assert.deepEqual(lines, [
    '{"time":"2026-11-23T03:04:05.678Z","level":"info","event":"listening","port":8080,"note":"two\\nlines"}',
  ]);
});

Deno.test("log drops events below its level", () => {
  const { lines, log } = capture("warn");
  for (const level of ["debug", "info", "warn", "error"] as const) log(level, level);
  assert.deepEqual(lines.map((line) => JSON.parse(line).event), ["warn", "error"]);
});

Deno.test("log keeps time, level and event from being overwritten by fields", () => {
  const { lines, log } = capture("info");
  log("info", "request", { event: "forged", level: "error" });
  assert.equal(JSON.parse(lines[0]!).event, "request");
  assert.equal(JSON.parse(lines[0]!).level, "info");
});

Deno.test("log is readable on a terminal", () => {
  const { lines, log } = capture("info", true);
  log("warn", "late", { requests: 2, reason: "timeout" });
  assert.deepEqual(lines, ["03:04:05.678 warn  late requests=2 reason=timeout"]);
});

Deno.test("log survives a field that JSON cannot hold", () => {
  const { lines, log } = capture("info");
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  log("info", "odd", { loop, big: 1n, port: 8080 });
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: "2026-11-23T03:04:05.678Z",
    level: "info",
    event: "odd",
    loop: "[object Object]",
    big: "1",
    port: "8080",
  });
});

Deno.test("errorFields() takes whatever was thrown", () => {
  assert.deepEqual(errorFields("broken"), { error: "broken" });
  const fields = errorFields(new Error("broken"));
  assert.equal(fields.error, "broken");
  assert.match(String(fields.stack), /log_test/);
});
