import assert from "node:assert/strict";
import { failing, measurement } from "../measure/fake_measurement.ts";
import type { Throughput } from "../measure/measurement.ts";
import { verdicts } from "./aims.ts";

const find = (rows: ReturnType<typeof verdicts>, aim: string) =>
  rows.find((row) => row.aim.includes(aim))!;

Deno.test("verdicts() tells kept, broken and not measured apart", () => {
  const rows = verdicts([failing(2, "GET")], []);
  assert.deepEqual(find(rows, "leave and come: failed GETs"), {
    aim: "drained instances leave and come: failed GETs",
    wanted: "0",
    measured: "2",
    kept: false,
  });
  assert.equal(find(rows, "leave and come: failed POSTs").kept, true);
  assert.equal(find(rows, "SIGKILL").kept, undefined);
});

Deno.test("verdicts() adds failures of all clients up, and takes the worst of times", () => {
  const rows = verdicts([
    failing(1, "GET"),
    failing(2, "GET", { client: "new", killToLast: [200] }),
  ], []);
  assert.equal(find(rows, "leave and come: failed GETs").measured, "3");
  assert.equal(find(rows, "kill event → last request, p50").measured, "200 ms");
});

Deno.test("verdicts() does not blame Rollcall for POSTs in dead hands, nor for others' failures", () => {
  const caught = failing(3, "POST", {
    scenario: "abrupt",
    underWayAtKill: { GET: 0, POST: 2 },
    sentWhileEnding: { GET: 0, POST: 1 },
  });
  const rival = failing(9, "GET", { subject: "resolve" });
  const rows = verdicts([caught, rival, measurement(), failing(5, "GET", { defect: "x" })], []);
  assert.equal(find(rows, "had in its hands").kept, true);
  assert.equal(find(rows, "leave and come: failed GETs").kept, true);
});

Deno.test("verdicts() compares throughput round by round", () => {
  const throughput: Throughput = {
    ...measurement({ scenario: "throughput" }),
    tool: "wrk",
    connections: 64,
    rounds: [{ subject: 50, static: 100 }, { subject: 99, static: 100 }, {
      subject: 98,
      static: 100,
    }],
    problems: [],
  };
  const row = find(verdicts([], [throughput]), "throughput");
  assert.deepEqual([row.measured, row.kept], ["0.98", true]);
});
