import assert from "node:assert/strict";
import { CommanderError } from "commander";
import { parseArguments } from "./arguments.ts";

function type(...args: string[]) {
  const out: string[] = [], err: string[] = [];
  const output = {
    write: (text: string) => out.push(text),
    warn: (text: string) => err.push(text),
  };
  try {
    return { ...parseArguments(args, output), err: "", out: "" };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { code: error.exitCode, err: err.join(""), out: out.join("") };
  }
}

Deno.test("parseArguments() hands Compose's flags on, in order", () => {
  const read = type(
    ...["-f", "a.yaml", "-f", "b.yaml", "-p", "shop", "--project-directory", "/srv", "web"],
    ...[
      "--env-file",
      "x.env",
      "--profile",
      "p",
      "--profile",
      "q",
      "--scale",
      "5",
      "--timeout",
      "9",
    ],
  );
  assert.ok("compose" in read);
  assert.deepEqual(
    read.compose.join(" "),
    "compose -f a.yaml -f b.yaml -p shop --project-directory /srv --env-file x.env --profile p --profile q",
  );
  assert.equal(read.service, "web");
  assert.equal(read.scale, 5);
  assert.equal(read.timeout, 9000);
});

Deno.test("parseArguments() has defaults", () => {
  const { err: _, out: __, ...read } = type("web");
  assert.deepEqual(read, {
    ...{ service: "web", compose: ["compose"], timeout: 60_000 },
    ...{ force: false, build: false, pull: false, dryRun: false },
  });
});

Deno.test("parseArguments() says what is wrong, and how it is used", () => {
  for (
    const [args, message] of [
      [[], /missing required argument 'service'/],
      [["web", "api"], /too many arguments/],
      [["web", "--scale", "0"], /whole number from 1/],
      [["web", "--timeout", "soon"], /whole number from 1/],
      [["web", "--dryrun"], /unknown option '--dryrun'/],
    ] as const
  ) {
    const { err } = type(...args);
    assert.match(err, message);
  }
  const { out } = type("--help");
  assert.match(out, /Examples:\n[\s\S]*rollout web --build[\s\S]*Exit codes: 0/);
});
