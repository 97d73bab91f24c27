// Who is asked beside the one that gave no answer.
import assert from "node:assert/strict";
import type { Target } from "./target.ts";
import { witnessesFor } from "./witnesses.ts";

const at = (address: string, containerId = address): Target => ({
  ...{ name: `${containerId}/${address}`, containerId, portName: "80", address, port: 80 },
  check: { kind: "tcp", interval: 0, timeout: 1_000 },
});

Deno.test("witnessesFor() asks three others at most, on the same network first, never the container itself", () => {
  const target = at("172.20.0.5", "a");
  const all = [
    target,
    at("172.21.0.5", "b"),
    at("172.20.0.5", "a"), // its other port
    at("172.20.0.6", "c"),
    at("fd00::5", "d"),
    at("172.20.0.7", "e"),
  ];
  const asked = witnessesFor(target, all).map(({ containerId }) => containerId);
  assert.deepEqual(asked, ["c", "e", "b"]);
});

Deno.test("witnessesFor() finds nobody where there is only one", () => {
  assert.deepEqual(witnessesFor(at("172.20.0.5"), [at("172.20.0.5")]), []);
});
