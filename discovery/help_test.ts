// The man page: its sections, and nothing left out.
import assert from "node:assert/strict";
import { manPage } from "./help.ts";
import { LABELS } from "./registrator/labels.ts";
import { ALL_SETTINGS, flagOf, variableOf } from "./registrator/settings.ts";

const page = manPage("1.2.3");
const read = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));

Deno.test("manPage() has the sections of a man page, in their order", () => {
  const sections = page.split("\n").filter((line) => /^[A-Z][A-Z ]*$/.test(line));
  assert.deepEqual(sections, [
    ...[
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      "COMMANDS",
      "OPTIONS",
      "ENVIRONMENT",
      "LABELS",
      "EXIT STATUS",
    ],
    ...["EXAMPLES", "SEE ALSO"],
  ]);
});

Deno.test("manPage() fits a terminal of 80 columns", () => {
  for (const line of page.split("\n")) {
    assert.ok(line.length <= 80, line);
    assert.equal(line, line.trimEnd());
  }
});

Deno.test("manPage() and discovery/README.md name every setting and every label", () => {
  const readme = read("./README.md");
  for (const name of ALL_SETTINGS.keys()) {
    assert.match(
      page,
      new RegExp(`^ {7}--${flagOf(name)}(=[A-Z]+)?  \\(${variableOf(name)}[,)]`, "m"),
    );
    assert.ok(readme.includes(`\`--${flagOf(name)}\``), `README.md has no --${flagOf(name)}`);
  }
  for (const key of Object.keys(LABELS)) {
    const label = `SERVICE_${key.toUpperCase()}`;
    assert.ok(page.includes(`       ${label}\n`), label);
    assert.ok(readme.includes(`\`${label}\``), `README.md has no ${label}`);
  }
});

Deno.test("docs/registrator.md names tests that there are", () => {
  const tests = [".", "./registrator", "./docker", "./etcd"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(`${folder}/`, import.meta.url))]
      .filter(({ name }) => name.endsWith("_test.ts") && name !== "help_test.ts")
      .map(({ name }) => read(`${folder}/${name}`))
  ).join("\n");
  const rows = read("../docs/registrator.md").split("\n").filter((line) =>
    /^\| +[^-| ]/.test(line)
  );
  const named = rows.map((row) => row.split("|").at(-2)!.trim())
    .filter((cell) => !["shown by", "the same"].includes(cell));
  assert.ok(named.length > 40);
  for (const cell of named) {
    const name = cell.replace(/^`+ ?| ?`+$/g, "");
    assert.ok(tests.includes(`Deno.test("${name}`), `there is no test called ${name}…`);
  }
});
