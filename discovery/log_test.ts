// createLog() and messageOf(): one line for each event, whatever is in it.
import assert from "node:assert/strict";
import { createLog, messageOf } from "./log.ts";

const now = () => new Date("2026-11-23T03:00:00.123Z");

Deno.test("createLog() writes one JSON line with time, level, event and fields", () => {
  const lines: string[] = [];
  const log = createLog("info", (line) => lines.push(line), { now });
  log.info("registered", { key: "/services/web/a", count: 3, late: true, lease: undefined });
  assert.deepEqual(lines, [
    '{"time":"2026-11-23T03:00:00.123Z","level":"info","event":"registered","key":"/services/web/a","count":3,"late":true}',
  ]);
});

Deno.test("createLog() leaves out what is below its level", () => {
  const events: string[] = [];
  const log = createLog("warn", (line) => events.push(JSON.parse(line).event), { now });
  log.debug("d");
  log.info("i");
  log.warn("w");
  log.error("e");
  assert.deepEqual(events, ["w", "e"]);
});

Deno.test("createLog() writes readable lines on a terminal, in which no value can break out", () => {
  const lines: string[] = [];
  const log = createLog("debug", (line) => lines.push(line), { terminal: true, now });
  log.warn("rejected", { reason: "bad\n\u001b[31mname", count: 2, lease: undefined });
  assert.deepEqual(lines, ['03:00:00.123 warn  rejected reason="bad\\n\\u001b[31mname" count=2']);
});

Deno.test("messageOf() gives the message of anything thrown, on one line", () => {
  assert.equal(messageOf(new Error("two\n  lines")), "two lines");
  assert.equal(messageOf("text"), "text");
  assert.equal(messageOf(undefined), "undefined");
});
