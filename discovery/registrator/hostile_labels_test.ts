// A fuzz of what containers may bring along. A million of them: scripts/measure/hostile_labels.ts.
import assert from "node:assert/strict";
import fc from "fast-check";
import { examine, hostile } from "./hostile_containers.ts";

/** More of them find more: PROPERTY_RUNS=100000 deno test … */
const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 3_000);

Deno.test("hostile labels, variables, names: never a throw, always a reason, keys well-formed, the neighbour untouched", () => {
  const total = { registered: 0, rejected: 0 };
  fc.assert(
    fc.property(hostile, (one) => {
      const { registered, rejected } = examine(one);
      total.registered += registered;
      total.rejected += rejected;
    }),
    { numRuns: RUNS },
  );
  // Both ways are taken often, or the fuzz would prove nothing.
  assert.ok(total.rejected > RUNS / 10 && total.registered > RUNS / 10, JSON.stringify(total));
});
