// The rights that service/compile gives to the binary, against what the program uses.

import assert from "node:assert/strict";
import { variables } from "./settings.ts";

const script = await Deno.readTextFile(new URL("./compile", import.meta.url));
const rights = /^rights=\(\n([^]*?)^\)/m.exec(script)![1]!;

Deno.test("service/compile allows exactly the variables that are read", () => {
  const patterns = /--allow-env='([^']+)'/.exec(rights)![1]!.split(",");
  const matches = (pattern: string, name: string) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  for (const name of variables) {
    assert.ok(patterns.some((pattern) => matches(pattern, name)), `${name} may not be read`);
  }
  for (const pattern of patterns) {
    assert.ok(variables.some((name) => matches(pattern, name)), `${pattern} is of no use`);
  }
});

Deno.test("service/compile names each right", () => {
  const flags = rights.match(/^ +--[a-z-]+/gm)!.map((flag) => flag.trim());
  assert.deepEqual(flags, ["--allow-net", "--allow-sys", "--allow-env", "--no-prompt"]);
  assert.doesNotMatch(script, /--allow-all|\s-A\s/);
});
