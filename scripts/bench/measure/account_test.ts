import assert from "node:assert/strict";
import { accountFor, balances, failed } from "./account.ts";
import { recordingOf } from "./fake_recording.ts";

Deno.test("accountFor() counts by ending, method and kind of connection", () => {
  const account = accountFor(recordingOf([
    { ended: 10 },
    { ended: 10, post: true },
    { ended: 10, ending: "stale" },
    { ended: 10, ending: "stale" },
    { ended: 10, ending: "stale", post: true },
    { ended: 10, ending: "status", status: 502, post: true, fresh: true },
    { ended: 10, ending: "status", status: 503, post: true, fresh: true },
  ]));
  assert.deepEqual(account.sent, { GET: 3, POST: 4 });
  assert.deepEqual(account.answered, { GET: 1, POST: 1 });
  assert.deepEqual(account.failures, [
    { kind: "stale", method: "GET", client: "kept", count: 2 },
    { kind: "stale", method: "POST", client: "kept", count: 1 },
    { kind: "status 502", method: "POST", client: "new", count: 1 },
    { kind: "status 503", method: "POST", client: "new", count: 1 },
  ]);
  assert.equal(failed(account), 5);
  assert.equal(failed(account, { kind: "stale", method: "GET" }), 2);
  assert.ok(balances(account));
});

Deno.test("accountFor() takes latency from the intended time, of answers only", () => {
  const account = accountFor(recordingOf([
    { intended: 0, begun: 90, ended: 100 },
    { intended: 0, ended: 9_000, ending: "timeout" },
  ]));
  assert.equal(account.latency?.max, 100);
});

Deno.test("accountFor() counts slow answers, also those that say no, but no missing ones", () => {
  const account = accountFor(recordingOf([
    { intended: 0, ended: 500 },
    { intended: 0, ended: 501 },
    { intended: 0, ended: 3_000, ending: "status", status: 504 },
    { intended: 0, ended: 3_000, ending: "timeout" },
  ]));
  assert.equal(account.slow, 2);
});

Deno.test("balances() notices a request that is missing", () => {
  const account = accountFor(recordingOf([{ ended: 1 }, { ended: 1, post: true }]));
  assert.ok(!balances({ ...account, answered: { GET: 1, POST: 0 } }));
});
