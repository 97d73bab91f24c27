// What is counted for whom, and that it stays bounded.
import assert from "node:assert/strict";
import { numbersIn } from "../metrics/testing.ts";
import type { Placed } from "./board.ts";
import { EdgeMetrics, type EdgeStanding } from "./edge_metrics.ts";
import { triesIn } from "./traffic.ts";

const STANDING: EdgeStanding = {
  totals: undefined,
  ...{ up: true, etcd: true, live: 5_000, instances: 2, missing: 1, extra: 0, browsers: 0 },
};

function placed(name: string, address: string, service = "web"): Placed {
  const row = {
    ...{
      id: name,
      service,
      name,
      containerId: "",
      host: "vm",
      state: "up" as const,
      reason: "",
      note: "",
      unanswered: false,
      since: "",
    },
    ...{ address, weight: 1, wanted: true },
  };
  return { tag: name, order: name, row, version: 1 };
}

Deno.test("EdgeMetrics count each try for its instance, by what came back and how long it took", () => {
  const metrics = new EdgeMetrics();
  const rows = [placed("web-1", "10.0.0.1:80"), placed("web-2", "10.0.0.2:80")];
  metrics.take(
    triesIn(["10.0.0.1:80\t0.002\t200", "10.0.0.1:80, 10.0.0.2:80\t-, 0.300\t-, 204"]),
    rows,
    0,
  );
  metrics.take(triesIn(["10.0.0.2:80\t0.100\t503", "10.9.9.9:80\t0.1\t200"]), rows, 1_000);
  const numbers = numbersIn(metrics.text(STANDING));
  const of = (container: string) => `service="web",host="vm",container="${container}"`;
  const name = "rollcall_upstream_requests_total";
  assert.equal(numbers.get(`${name}{${of("web-1")},code="2xx"}`), 1);
  assert.equal(numbers.get(`${name}{${of("web-1")},code="none"}`), 1);
  assert.equal(numbers.get(`${name}{${of("web-2")},code="2xx"}`), 1);
  assert.equal(numbers.get(`${name}{${of("web-2")},code="5xx"}`), 1);
  assert.equal(numbers.get(`${name}{${of("web-1")},code="5xx"}`), 0);
  assert.equal(numbers.get(`${name}{service="other",host="",container="",code="2xx"}`), 1);
  assert.equal(numbers.get(`rollcall_upstream_seconds_total{${of("web-2")}}`), 0.4);
  const duration = (le: string) =>
    numbers.get(`rollcall_upstream_duration_seconds_bucket{service="web",le="${le}"}`);
  assert.deepEqual(["0.001", "0.0025", "0.1", "0.5", "+Inf"].map(duration), [1, 2, 3, 4, 4]);
  assert.equal(numbers.get("rollcall_edge_live_timestamp_seconds"), 5);
  assert.equal(numbers.get("rollcall_edge_instances_missing"), 1);
  assert.ok(![...numbers.keys()].some((key) => key.startsWith("rollcall_edge_reloads")));
});

Deno.test("EdgeMetrics show what the edge has counted itself", () => {
  const counts = new Map([["reloads", 3], ["reload_ms", 90], ["failed_check", 1]]);
  const connections = {
    ...{ active: 4, reading: 0, writing: 1, waiting: 3, accepted: 9, handled: 8, requests: 70 },
  };
  const text = new EdgeMetrics().text({ ...STANDING, totals: { counts, connections } });
  const numbers = numbersIn(text);
  assert.equal(numbers.get("rollcall_edge_reloads_total"), 3);
  assert.equal(numbers.get("rollcall_edge_reload_seconds_total"), 0.09);
  assert.equal(numbers.get('rollcall_edge_failures_total{step="check"}'), 1);
  assert.equal(numbers.get('rollcall_edge_connections{state="waiting"}'), 3);
  assert.equal(numbers.get("rollcall_edge_connections_handled_total"), 8);
});

Deno.test("EdgeMetrics forget who is gone after ten minutes, and give an address to its next owner", () => {
  const metrics = new EdgeMetrics();
  const line = triesIn(["10.0.0.1:80\t0.1\t200"]);
  metrics.take(line, [placed("web-1", "10.0.0.1:80")], 0);
  metrics.take(line, [], 60_000); // its last requests are told after its row has gone
  const count = (container: string) =>
    [...numbersIn(metrics.text(STANDING))].filter(([key]) =>
      key.startsWith("rollcall_upstream_requests_total") &&
      key.includes(`"${container}",code="2xx"`)
    ).map(([, value]) => value);
  assert.deepEqual(count("web-1"), [2]);
  metrics.take(line, [placed("web-2", "10.0.0.1:80")], 61_000);
  assert.deepEqual([count("web-1"), count("web-2")], [[2], [1]]);
  metrics.take([], [placed("web-2", "10.0.0.1:80")], 700_000);
  assert.deepEqual([count("web-1"), count("web-2")], [[], [1]]);
});

Deno.test("EdgeMetrics count for at most 5,000 instances by name, and the rest together", () => {
  const metrics = new EdgeMetrics();
  const rows = Array.from(
    { length: 5_100 },
    (_, i) => placed(`web-${i}`, `10.0.${i >> 8}.${i & 255}:80`, `s${i % 600}`),
  );
  metrics.take(triesIn(rows.map(({ row }) => `${row.address}\t0.001\t200`)), rows, 0);
  const text = metrics.text(STANDING);
  assert.ok(text.split("\n").length < 5_001 * 3 + 501 * 16 + 60);
  const other = `rollcall_upstream_requests_total{service="other",host="",container="",code="2xx"}`;
  assert.equal(numbersIn(text).get(other), 100);
});
