import assert from "node:assert/strict";
import { has, lacks, oldWorkers, parseEdge } from "./edge.ts";

const text = `        server 172.24.0.6:8080
        server [fd00::6]:8080
worker 52 old
worker 55 current
worker 56 current
end
`;

Deno.test("parseEdge() reads instances and workers", () => {
  const edge = parseEdge(text);
  assert.deepEqual([...edge.servers], ["172.24.0.6:8080", "[fd00::6]:8080"]);
  assert.equal(edge.settled, true);
  assert.deepEqual(oldWorkers(edge), [52]);
});

Deno.test("parseEdge() does not take half an answer for an nginx without instances", () => {
  assert.throws(() => parseEdge("        server 172.24.0.6:8080\n"), /not whole/);
  assert.throws(() => parseEdge(""), /not whole/);
});

Deno.test("has() and lacks() know instances by address and port, and by address alone", () => {
  const edge = parseEdge(text);
  assert.ok(has(edge, ["172.24.0.6:8080"]));
  assert.ok(!has(edge, ["172.24.0.6:8080", "172.24.0.7:8080"]));
  assert.ok(!lacks(edge, ["172.24.0.6"]));
  assert.ok(!lacks(edge, ["fd00::6"]));
  assert.ok(lacks(edge, ["172.24.0.60", "172.24.0.6:80", "172.24.0", "fd00::"]));
});

Deno.test("in the middle of a reload neither is known", () => {
  const edge = parseEdge("worker 52 old\nend\n");
  assert.ok(!has(edge, []));
  assert.ok(!lacks(edge, ["172.24.0.6"]));
});
