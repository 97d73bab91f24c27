import assert from "node:assert/strict";
import { failing, measurement } from "../measure/fake_measurement.ts";
import type { Results } from "../measure/measurement.ts";
import { chartsOf } from "./charts.ts";
import { markdownOf } from "./markdown.ts";
import { merged, resultsText } from "./write_report.ts";

const results: Results = {
  version: 1,
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T01:00:00.000Z",
  machine: { processors: "2 × Pentium | 90 MHz" },
  settings: { rate: 1000, cycles: 10, repeat: 2, seed: 1, burst: 30 },
  versions: { docker: "28" },
  measurements: [
    measurement(),
    measurement({ run: 2 }),
    failing(12, "POST", {
      subject: "resolve",
      killToLast: [2995],
      problems: ["the generator was late"],
    }),
    failing(5, "GET", { defect: "no-drain-on-kill" }),
  ],
  throughput: [{
    ...measurement({ scenario: "throughput" }),
    tool: "wrk",
    connections: 64,
    rounds: [{ subject: 99, static: 100 }],
    problems: [],
  }],
  skipped: [{ subject: "traefik", reason: "cannot get traefik:v3.7" }],
};

Deno.test("markdownOf() shows figures, failures, restrictions, defects and spread", () => {
  const text = markdownOf(results, ["failed"], "benchmark");
  for (
    const part of [
      "![Failed requests of 100,000 while scaling, by stack](benchmark/failed.svg)",
      "| rollcall | kept | 0/1,600 | 0/400 |",
      "- resolve, kept: 12 stale (POST, kept connection)",
      "- resolve, scale, kept, run 1: not valid, the generator was late",
      "- traefik was skipped: cannot get traefik:v3.7",
      "| no-drain-on-kill | scale | kept | 5/800 |",
      "## Repeatability",
      "2 × Pentium \\| 90 MHz",
    ]
  ) assert.ok(text.includes(part), part);
});

Deno.test("markdownOf() gives the same text for the same results", () => {
  const again = JSON.parse(resultsText(results));
  assert.equal(markdownOf(again, ["failed"], "x"), markdownOf(results, ["failed"], "x"));
});

Deno.test("chartsOf() draws for light and dark ground, with every stack named", () => {
  const charts = chartsOf(results);
  assert.deepEqual([...charts.keys()], ["failed", "turnover", "throughput"]);
  for (const [name, svg] of charts) {
    assert.ok(svg.includes("prefers-color-scheme:dark"), name);
    assert.ok(svg.includes(">rollcall</text>"), name);
    assert.ok(!/="#0102/.test(svg), "a colour has no variable");
  }
  // 12 of 1,000 requests.
  assert.ok(charts.get("failed")!.includes(">1,200</text>"));
});

Deno.test("merged() numbers runs anew and forgets what was skipped but then measured", () => {
  const later = {
    ...results,
    measurements: [measurement(), measurement({ subject: "traefik" })],
    skipped: [],
  };
  const all = merged([results, later]);
  assert.deepEqual(
    all.measurements.filter(({ subject, defect }) => subject === "rollcall" && !defect).map((
      { run },
    ) => run),
    [1, 2, 3],
  );
  assert.deepEqual(all.skipped, []);
});
