// SERVICE_* labels and variables by registrator's rules (contract 2).
import assert from "node:assert/strict";
import { sampleContainer } from "../docker/sample_container.ts";
import {
  declaredPorts,
  generalMetadata,
  hasOwnName,
  isNamed,
  metadataFor,
  settingsOf,
} from "./metadata.ts";

type Texts = Record<string, string>;
const settings = (labels: Texts, env: Texts = {}) => settingsOf(sampleContainer({ labels, env }));
const at = (port: number, labels: Texts, env: Texts = {}) =>
  Object.fromEntries(metadataFor(settings(labels, env), port));

Deno.test("metadataFor() takes SERVICE_* without the prefix, in lower case, and nothing else", () => {
  assert.deepEqual(
    at(80, {
      SERVICE_NAME: "web",
      SERVICE_Region: "eu",
      service_name: "no",
      XSERVICE_NAME: "no",
      SERVICE_: "no",
    }),
    { name: "web", region: "eu" },
  );
});

Deno.test("metadataFor() lets port-specific beat general, and label beat environment within each", () => {
  const env = { SERVICE_NAME: "env", SERVICE_80_NAME: "env-80" };
  const labels = { SERVICE_NAME: "label", SERVICE_80_NAME: "label-80" };
  assert.equal(at(80, labels, env)["name"], "label-80");
  assert.equal(at(81, labels, env)["name"], "label");
  assert.equal(at(80, { SERVICE_NAME: "label" }, env)["name"], "env-80");
  assert.equal(at(81, {}, env)["name"], "env");
});

Deno.test("metadataFor() gives a port only what is its own or everybody's", () => {
  assert.deepEqual(at(80, { SERVICE_80_PATH: "/a", SERVICE_8080_PATH: "/b", SERVICE_TAGS: "t" }), {
    path: "/a",
    tags: "t",
  });
});

Deno.test("metadataFor() takes a number that nothing follows for a key", () => {
  assert.deepEqual(at(80, { SERVICE_80: "x", SERVICE_80_: "y" }), { "80": "x", "80_": "y" });
});

Deno.test("generalMetadata() is what concerns no port in particular", () => {
  const general = generalMetadata(settings({ SERVICE_NAME: "web", SERVICE_80_NAME: "no" }));
  assert.deepEqual([...general], [["name", "web"]]);
});

Deno.test("declaredPorts() are those that labels name, not those of the environment", () => {
  const labels = { SERVICE_80_NAME: "a", SERVICE_99999_NAME: "b", SERVICE_81_TAGS: "t" };
  assert.deepEqual(declaredPorts(settings(labels, { SERVICE_82_NAME: "c" })), ["80", "99999"]);
});

Deno.test("hasOwnName() and isNamed() look at both sources", () => {
  assert.ok(hasOwnName(settings({}, { SERVICE_80_NAME: "a" }), 80));
  assert.ok(!hasOwnName(settings({ SERVICE_NAME: "a", SERVICE_81_NAME: "b" }), 80));
  assert.ok(isNamed(settings({}, { SERVICE_80_NAME: "a" })));
  assert.ok(isNamed(settings({ SERVICE_NAME: "a" })));
  assert.ok(!isNamed(settings({ SERVICE_NAME: "", SERVICE_TAGS: "t" })));
});

Deno.test("metadata with names of prototypes is text like any other", () => {
  const labels = Object.fromEntries([["SERVICE___proto__", "a"], ["SERVICE_constructor", "b"]]);
  const found = metadataFor(settings(labels), 80);
  assert.deepEqual([...found], [["__proto__", "a"], ["constructor", "b"]]);
});
