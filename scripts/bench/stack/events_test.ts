import assert from "node:assert/strict";
import { parseEvent } from "./events.ts";

const line = (action: string, attributes: Record<string, string> = {}) =>
  `{"status":"${action}","id":"abc","Type":"container","Action":"${action}","Actor":{"ID":"abc","Attributes":${
    JSON.stringify({ "com.docker.compose.service": "service", ...attributes })
  }},"scope":"local","time":1764000000,"timeNano":1764000000123456789}`;

Deno.test("parseEvent() reads the time to the microsecond", () => {
  assert.deepEqual(parseEvent(line("start")), {
    id: "abc",
    service: "service",
    action: "start",
    at: 1764000000123.456,
  });
});

Deno.test("parseEvent() reads the signal of a kill", () => {
  assert.equal(parseEvent(line("kill", { signal: "15" }))?.signal, 15);
});

Deno.test("parseEvent() leaves other events out", () => {
  assert.equal(parseEvent(line("exec_create: sh")), undefined);
});
