import assert from "node:assert/strict";
import { parseWrk } from "./throughput.ts";

const output = `Running 5s test @ http://127.0.0.1:32768/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.21ms    1.10ms  20.03ms   80.00%
    Req/Sec    15.20k   512.00    16.10k    70.00%
  75612 requests in 5.00s, 12.30MB read
Requests/sec:  15122.40
Transfer/sec:      2.46MB
`;

Deno.test("parseWrk() reads the rate", () => {
  assert.deepEqual(parseWrk(output), { rate: 15122.4, failed: 0 });
});

Deno.test("parseWrk() adds up what failed", () => {
  const failing = output.replace(
    "Requests/sec",
    "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\nRequests/sec",
  );
  assert.equal(parseWrk(failing).failed, 15);
});

Deno.test("parseWrk() refuses what wrk did not print", () => {
  assert.throws(() => parseWrk("unable to connect"), /Cannot read wrk's output/);
});
