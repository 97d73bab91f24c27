import assert from "node:assert/strict";
import { help, parseArguments, UsageError } from "./arguments.ts";
import { names } from "./settings.ts";

Deno.test("parseArguments() serves when nothing is asked", () => {
  assert.equal(parseArguments([]), "serve");
  assert.equal(parseArguments(["--"]), "serve");
});

Deno.test("parseArguments() knows each flag", () => {
  assert.equal(parseArguments(["--healthcheck"]), "healthcheck");
  for (const flag of ["--help", "-h"]) assert.equal(parseArguments([flag]), "help");
  for (const flag of ["--version", "-V"]) assert.equal(parseArguments([flag]), "version");
  assert.equal(parseArguments(["--help", "--version"]), "help");
});

Deno.test("parseArguments() refuses what it does not know, and says what", () => {
  const cases: [string[], RegExp][] = [
    [["--health-check"], /Cannot understand "--health-check": see service --help/],
    [["-x"], /Cannot understand "-x"/],
    [["--toString"], /Cannot understand "--toString"/],
    [["serve"], /Cannot understand "serve"/],
    [["--", "--help"], /Cannot understand "--help"/],
    [["--help="], /Cannot give --help a value/],
    [["--version=2"], /Cannot give --version a value/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => parseArguments(args), (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("help() names every setting", () => {
  for (const name of names) assert.match(help("1.2.3"), new RegExp(`^  ${name} .*\\w`, "m"));
  assert.match(help("1.2.3"), /^service 1\.2\.3/);
});
