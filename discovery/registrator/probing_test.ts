// Probing: when an endpoint counts as answering, and what is said about it.
import assert from "node:assert/strict";
import fc from "fast-check";
import { FALL, Probing, RESTATE, RISE } from "./probing.ts";
import type { Target } from "./target.ts";

const NOW = Date.parse("2026-11-23T03:00:00.000Z");
const TARGET: Target = {
  ...{ name: "a", containerId: "c1", portName: "80", address: "fd00::5", port: 80 },
  check: { kind: "http", path: "/ready", interval: 10_000, timeout: 1_000 },
};
const result = (ok: boolean, detail = ok ? "status is 200" : "status is 503") => (
  { ok, detail, took: 12.4 }
);

/** `+` passes, `-` fails; the phases after each. */
function phases(findings: string, probing = new Probing(TARGET)): string {
  return [...findings].map((sign) => {
    probing.found(result(sign === "+"), NOW);
    return probing.phase[0];
  }).join("");
}

Deno.test("Probing: the first pass admits; three failures in a row take out; two passes in a row bring back", () => {
  assert.equal(phases("--+"), "ssp");
  assert.equal(phases("+--+--+---"), "pwwpwwpwwf");
  assert.equal(phases("+---+-+-++"), "pwwffffffp");
});

Deno.test("Probing: one that answers every other time stays where it is", () => {
  assert.ok(!phases("+" + "-+".repeat(50)).includes("f"));
  assert.ok(!phases("+---" + "+-".repeat(50)).slice(4).includes("p"));
});

Deno.test("Probing.last is the probe that counts, and stands as long as others say the same", () => {
  const probing = new Probing(TARGET);
  assert.equal(probing.found(result(true), NOW), true);
  const first = {
    ...{ what: "GET http://[fd00::5]:80/ready", ok: true, detail: "status is 200" },
    ...{ at: "2026-11-23T03:00:00.000Z", took: 12 },
  };
  assert.deepEqual(probing.last, first);
  for (let i = 1; i < 100; i++) assert.equal(probing.found(result(true), NOW + 10_000 * i), false);
  probing.found(result(false), NOW + 1_000_000);
  assert.deepEqual(probing.last, first); // one failure is not believed yet
  probing.found(result(false), NOW + 1_001_000);
  probing.found(result(false), NOW + 1_002_000);
  assert.deepEqual([probing.last?.ok, probing.last?.at], [false, "2026-11-23T03:16:42.000Z"]);
  probing.found(result(true), NOW + 1_003_000);
  assert.equal(probing.last?.ok, false);
  probing.found(result(true), NOW + 1_004_000);
  assert.equal(probing.last?.ok, true);
});

Deno.test("Probing.last takes other words for the same only now and then: each costs a write", () => {
  const probing = new Probing(TARGET);
  let changes = 0;
  for (let ms = 0; ms < 60_000; ms += 100) {
    const before = probing.last;
    probing.found(result(false, `status is ${500 + ms % 7}`), NOW + ms);
    if (probing.last !== before) changes++;
  }
  assert.equal(changes, 60_000 / RESTATE);
});

Deno.test("Probing goes on from what a predecessor knew", () => {
  assert.ok(new Probing(TARGET, "passing").judged);
  assert.equal(phases("--+", new Probing(TARGET, "passing")), "wwp");
  assert.equal(new Probing(TARGET, "failing").judged, false);
  assert.equal(phases("+-++", new Probing(TARGET, "failing")), "fffp");
  const last = {
    what: "x",
    ok: true,
    detail: "status is 200",
    at: "2026-11-22T00:00:00Z",
    took: 1,
  };
  const probing = new Probing(TARGET, "passing", last);
  probing.found(result(true), NOW);
  assert.equal(probing.last, last);
});

Deno.test("Probing.doubt() asks for two passes, whatever was before", () => {
  const probing = new Probing(TARGET);
  phases("+++", probing);
  probing.doubt();
  assert.deepEqual([probing.passed, probing.judged, probing.last], [false, false, undefined]);
  assert.equal(phases("++", probing), "fp");
});

Deno.test("Probing, whatever comes: it turns only after FALL failures or RISE passes in a row, and the last probe agrees with it", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60, size: "max" }), (findings) => {
      const probing = new Probing(TARGET);
      let admitted = false;
      for (const [i, ok] of findings.entries()) {
        const before = probing.passed;
        probing.found(result(ok), NOW + i);
        if (before !== probing.passed) {
          const needed: number = before ? FALL : admitted ? RISE : 1;
          const row = findings.slice(i + 1 - needed, i + 1);
          assert.ok(row.length === needed && row.every((each) => each === probing.passed));
          admitted = true;
        }
        assert.equal(probing.last?.ok, probing.passed);
      }
    }),
  );
});
