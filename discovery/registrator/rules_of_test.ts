// What Docker is asked about the registrator itself.
import assert from "node:assert/strict";
import { MemoryEngine } from "../docker/memory_engine.ts";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import { readConfig } from "./config.ts";
import { rulesOf, selfOf } from "./rules_of.ts";

const engine = new MemoryEngine(() => 0);
engine.start(sampleContainer({ id: "own", networks: [attached("edge", "172.20.0.2")] }));

Deno.test("selfOf() asks Docker for what is not set", async () => {
  const asked = { host: "dockerhost", networks: ["edge"], hostAddress: "172.20.0.1" };
  assert.deepEqual(await selfOf(engine, readConfig([], {}), "own"), asked);
  const set = readConfig(["--host", "h", "--network", "a,b", "--ip", "192.0.2.7"], {});
  assert.deepEqual(await selfOf(engine, set, "unknown"), {
    host: "h",
    networks: ["a", "b"],
    hostAddress: "192.0.2.7",
  });
  await assert.rejects(selfOf(engine, readConfig([], {}), "unknown"), /set ROLLCALL_NETWORK/);
});

Deno.test("rulesOf() are the settings and the self", async () => {
  const config = readConfig(["--explicit", "--tags", "a,b"], {});
  const rules = rulesOf(config, await selfOf(engine, config, "own"));
  assert.deepEqual([rules.host, rules.networks, rules.explicit], ["dockerhost", ["edge"], true]);
  assert.deepEqual(rules.tags, ["a", "b"]);
});
