// portName().
import assert from "node:assert/strict";
import { portName } from "./instance.ts";

Deno.test("portName() tells one number of both protocols apart", () => {
  assert.equal(portName({ number: 53, protocol: "tcp" }), "53");
  assert.equal(portName({ number: 53, protocol: "udp" }), "53:udp");
});
