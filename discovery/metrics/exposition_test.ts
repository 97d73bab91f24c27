// The text that Prometheus reads; `promtool check metrics` says the same of it where it is installed.
import assert from "node:assert/strict";
import { exposition, single } from "./exposition.ts";

Deno.test("exposition() writes families with labels, and quotes what others have named", () => {
  const text = exposition([
    single("gauge", "up", "1 or 0.", 1),
    single("gauge", "unknown", "Left out.", undefined),
    {
      kind: "counter",
      name: "requests_total",
      help: "A\\B\nC.",
      samples: [{ labels: { service: 'a"b\\c\nd', code: "2xx" }, value: 2.5 }],
    },
  ]);
  assert.equal(
    text,
    [
      "# HELP up 1 or 0.",
      "# TYPE up gauge",
      "up 1",
      "# HELP requests_total A\\\\B\\nC.",
      "# TYPE requests_total counter",
      'requests_total{service="a\\"b\\\\c\\nd",code="2xx"} 2.5',
      "",
    ].join("\n"),
  );
});

Deno.test("exposition() writes a histogram with its sum, its count and a bucket for all", () => {
  const text = exposition([{
    kind: "histogram",
    name: "seconds",
    help: "Time.",
    distributions: [{
      ...{ labels: { service: "web" }, count: 3, sum: 1.5 },
      buckets: new Map([[0.1, 1], [1, 2]]),
    }],
  }]);
  assert.deepEqual(text.trimEnd().split("\n").slice(2), [
    'seconds_bucket{service="web",le="0.1"} 1',
    'seconds_bucket{service="web",le="1"} 2',
    'seconds_bucket{service="web",le="+Inf"} 3',
    'seconds_sum{service="web"} 1.5',
    'seconds_count{service="web"} 3',
  ]);
});
