import assert from "node:assert/strict";
import { subjectNamed, subjects } from "../subjects/subjects.ts";
import { yourSubject } from "../subjects/yours.ts";
import { scenarioNamed, scenarios, scenariosFor } from "./scenarios.ts";

const names = (subject: typeof subjects[number]) =>
  scenariosFor(subject, scenarios).map(({ name }) => name);

Deno.test("scenariosFor() scales nothing that does not follow", () => {
  assert.deepEqual(names(subjectNamed("static")), ["steady"]);
  assert.equal(names(subjectNamed("resolve")).length, scenarios.length);
});

Deno.test("scenariosFor() does not tell somebody else's instances how to behave", () => {
  const url = "http://127.0.0.1/";
  const yours = yourSubject({ composeFile: "c.yaml", service: "web", url, postPath: undefined });
  assert.deepEqual(names(yours), ["scale", "burst", "crash", "steady"]);
});

Deno.test("scenarioNamed() tells which there are", () => {
  assert.throws(() => scenarioNamed("x"), /there are scale, .* throughput/);
});
