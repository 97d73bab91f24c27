import assert from "node:assert/strict";
import { parseArguments } from "./arguments.ts";

Deno.test("parseArguments() has three minutes, and a seed by chance", () => {
  const { minutes, seed, rate, only, shrink } = parseArguments([]);
  assert.deepEqual({ minutes, rate, only, shrink }, {
    ...{ minutes: 3, rate: 200, only: [], shrink: false },
  });
  assert.notEqual(parseArguments([]).seed, seed);
});

Deno.test("parseArguments() takes lists with commas and repeated", () => {
  const { only } = parseArguments(["--only", "etcd, nginx", "--only", "paused"]);
  assert.deepEqual(only, ["etcd", "nginx", "paused"]);
});

Deno.test("parseArguments() refuses what is out of bounds", () => {
  const wrong = [["--minutes", "0"], ["--seed", "x"], ["--rate", "9999"], ["--nothing"]];
  for (const args of wrong) assert.throws(() => parseArguments(args), { name: "CommanderError" });
});
