import assert from "node:assert/strict";
import { failing, measurement } from "../measure/fake_measurement.ts";
import { byRun, pooled, type Runs } from "./pool.ts";
import { spreads } from "./spread.ts";

const runs: Runs = [
  failing(3, "GET", { run: 1, killToLast: [100], reloads: 4 }),
  failing(1, "GET", { run: 2, killToLast: [200, 300], reloads: 8 }),
];

Deno.test("byRun() puts runs of the same measurement together, and nothing else", () => {
  const groups = byRun([
    ...runs,
    measurement({ client: "new" }),
    measurement({ subject: "resolve" }),
    measurement({ defect: "x" }),
  ]);
  assert.deepEqual(groups.map(({ length }) => length), [2, 1, 1, 1]);
});

Deno.test("pooled() adds requests up and takes all times together", () => {
  const all = pooled(runs);
  assert.deepEqual(all.account.sent, { GET: 1600, POST: 400 });
  assert.deepEqual(all.account.failures, [{
    kind: "stale",
    method: "GET",
    client: "kept",
    count: 4,
  }]);
  assert.deepEqual(all.killToLast, [100, 200, 300]);
  assert.equal(all.reloads, 6);
  assert.equal(all.account.latency?.max, 50);
});

Deno.test("pooled() leaves out what no run could tell", () => {
  const { reloads: _, ...without } = measurement();
  assert.ok(!("reloads" in pooled([without])));
});

Deno.test("spreads() shows each run, and skips what is nothing in all of them", () => {
  const rows = spreads([runs]);
  assert.deepEqual(rows[0], ["rollcall, scale, kept", "failed GET", "3, 1", "1", "3"]);
  assert.ok(rows.every(([, figure]) => figure !== "failed POST"));
  assert.deepEqual(spreads([[measurement()]]), []);
});
