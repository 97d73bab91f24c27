import assert from "node:assert/strict";
import { failing, measurement } from "./fake_measurement.ts";
import { violations } from "./invariants.ts";

Deno.test("violations() finds none where nothing failed", () => {
  assert.deepEqual(violations([measurement()]), []);
});

Deno.test("violations() finds failed requests of Rollcall, and of nobody else", () => {
  assert.deepEqual(violations([failing(3, "GET")]), ["rollcall scale (kept): 3 GETs failed"]);
  assert.deepEqual(violations([failing(1, "POST")]), ["rollcall scale (kept): 1 POSTs failed"]);
  assert.deepEqual(violations([failing(3, "GET", { subject: "resolve" })]), []);
});

Deno.test("violations() forgives POSTs, but no GETs, to instances that exit at once", () => {
  assert.deepEqual(violations([failing(1, "POST", { backend: "abrupt" })]), []);
  assert.equal(violations([failing(1, "GET", { backend: "abrupt" })]).length, 1);
});

Deno.test("violations() finds an instance that never got a request", () => {
  assert.match(violations([measurement({ unseen: 2 })])[0]!, /2 instances never got a request/);
});

Deno.test("violations() finds wrong book-keeping and a slow generator, with every subject", () => {
  const good = measurement({ subject: "resolve" });
  const lost = { ...good, account: { ...good.account, answered: { GET: 799, POST: 200 } } };
  assert.match(violations([lost])[0]!, /sent is not answered \+ failed/);
  const slow = { ...good, pace: { ...good.pace, achievedRate: 790 } };
  assert.match(violations([slow])[0]!, /reached 790 of 1000/);
});
