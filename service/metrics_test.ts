import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";

function create(ready = true) {
  return new Metrics({
    version: "1.2.3",
    instance: "web-1",
    ready: () => ready,
    startedAt: new Date("2026-11-23T03:00:00Z"),
  });
}

/** The value of a sample, by its name and labels as they stand in the text. */
async function sample(metrics: Metrics, name: string): Promise<string | undefined> {
  const line = (await metrics.text()).split("\n").find((line) => line.startsWith(`${name} `));
  return line?.slice(name.length + 1);
}

Deno.test("metrics count requests by method, route and status", async () => {
  const metrics = create();
  for (const status of [200, 200, 500]) {
    metrics.begin(true);
    metrics.end({ method: "GET", route: "/slow", status }, 0.2);
  }
  const labels = 'method="GET",route="/slow"';
  assert.equal(await sample(metrics, `http_requests_total{${labels},status="200"}`), "2");
  assert.equal(await sample(metrics, `http_requests_total{${labels},status="500"}`), "1");
  const bucket = (le: string) => `http_request_duration_seconds_bucket{le="${le}",${labels}}`;
  assert.equal(await sample(metrics, bucket("0.1")), "0");
  assert.equal(await sample(metrics, bucket("0.25")), "3");
  assert.equal(await sample(metrics, `http_request_duration_seconds_count{${labels}}`), "3");
});

Deno.test("metrics put made-up methods under one label", async () => {
  const metrics = create();
  for (let index = 0; index < 100; index++) {
    metrics.begin(true);
    metrics.end({ method: `M${index}`, route: "none", status: 404 }, 0);
  }
  const labels = 'method="other",route="none",status="404"';
  assert.equal(await sample(metrics, `http_requests_total{${labels}}`), "100");
});

Deno.test("metrics know what is in flight, and which requests are of users", async () => {
  const metrics = create();
  metrics.begin(true);
  metrics.begin(false);
  assert.deepEqual([metrics.inFlight, metrics.served], [2, 1]);
  assert.equal(await sample(metrics, "http_requests_in_flight"), "2");
  metrics.end({ method: "GET", route: "/", status: 200 }, 0);
  assert.deepEqual([metrics.inFlight, metrics.served], [1, 1]);
});

Deno.test("metrics tell about the instance and the process", async () => {
  const ready = create(true);
  assert.equal(await sample(ready, "service_ready"), "1");
  assert.equal(await sample(create(false), "service_ready"), "0");
  assert.equal(await sample(ready, "process_start_time_seconds"), "1795402800");
  assert.ok(Number(await sample(ready, "process_resident_memory_bytes")) > 1e6);
  assert.match(
    await ready.text(),
    /^service_info\{version="1\.2\.3",instance="web-1",deno=".*"\} 1$/m,
  );
});

Deno.test("metrics of two instances do not mix", async () => {
  const one = create();
  const other = create();
  one.begin(true);
  assert.equal(await sample(other, "http_requests_in_flight"), "0");
});

Deno.test("metrics have HELP and TYPE for each name", async () => {
  const text = await create().text();
  const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!);
  assert.ok(names.length >= 7);
  for (const name of names) assert.match(text, new RegExp(`^# HELP ${name} \\w`, "m"));
});
