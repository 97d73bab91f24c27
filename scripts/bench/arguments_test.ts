import assert from "node:assert/strict";
import { help, parseArguments, UsageError } from "./arguments.ts";

Deno.test("parseArguments() measures the three stacks that need no further image by default", () => {
  const args = parseArguments([]);
  assert.deepEqual(args.subjects.map(({ name }) => name), ["rollcall", "static", "resolve"]);
  assert.equal(args.rate, 1000);
  assert.ok(args.throughput);
  assert.ok(args.scenarios.length >= 6);
});

Deno.test("parseArguments() takes lists", () => {
  const args = parseArguments([
    "--subjects",
    "resolve, rollcall",
    "--scenarios=scale",
    "--client",
    "both",
  ]);
  assert.deepEqual(args.subjects.map(({ name }) => name), ["resolve", "rollcall"]);
  assert.deepEqual(args.scenarios.map(({ name }) => name), ["scale"]);
  assert.deepEqual(args.clients, ["both"]);
  assert.ok(!args.throughput);
});

Deno.test("parseArguments() takes --aims along with what is measured", () => {
  const args = parseArguments(["--scenarios", "scale", "--cycles", "20", "--aims"]);
  assert.ok(args.aims && args.cycles === 20);
  assert.equal(parseArguments([]).aims, false);
});

Deno.test("parseArguments() makes --quick short", () => {
  const args = parseArguments(["--quick"]);
  assert.deepEqual(args.subjects.map(({ name }) => name), ["rollcall", "resolve"]);
  assert.ok(args.cycles <= 3 && !args.throughput);
  assert.ok(args.rivalScenarios.length < args.scenarios.length);
});

Deno.test("parseArguments() takes somebody else's stack", () => {
  const [subject] = parseArguments([
    ...["--compose", "/srv/compose.yaml", "--service", "web", "--url", "http://127.0.0.1:3000/a?b"],
  ]).subjects;
  assert.deepEqual(subject!.yours, { port: 3000, getPath: "/a?b", postPath: undefined });
  assert.deepEqual(subject!.files, ["/srv/compose.yaml"]);
});

Deno.test("parseArguments() sends nothing to other machines", () => {
  const args = ["--compose", "c.yaml", "--service", "web", "--url", "http://example.org/"];
  assert.throws(() => parseArguments(args), /give an http URL of this machine/);
});

Deno.test("parseArguments() measures a defect where it has to show", () => {
  const args = parseArguments(["--defect", "no-keepalive-min-timeout"]);
  assert.deepEqual(args.scenarios.map(({ name }) => name), ["scale"]);
  assert.deepEqual(args.clients, ["kept"]);
});

for (
  const [args, message] of [
    [["--subjects", "haproxy"], /Cannot find subject "haproxy": there are rollcall, static/],
    [["--scenarios", "earthquake"], /there are scale, .*throughput/],
    [["--defect", "x"], /there are no-drain-on-kill/],
    [["--client", "http3"], /give kept, new or both/],
    [["--rate", "0"], /from 1 to 10000/],
    [["--rate", "1e9"], /whole number/],
    [["--fast"], /See deno task bench --help/],
    [["now"], /See deno task bench --help/],
  ] as const
) {
  Deno.test(`parseArguments() refuses ${args.join(" ")}`, () => {
    assert.throws(
      () => parseArguments(args),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}

Deno.test("help() names every subject, scenario and defect", () => {
  const text = help();
  const { subjects, scenarios } = parseArguments(["--subjects", "all"]);
  for (const { name } of [...subjects, ...scenarios]) assert.ok(text.includes(`  ${name} `), name);
});
