// The listener: where it answers, and that it is in nobody's way.
import assert from "node:assert/strict";
import { delay } from "../delay.ts";
import { createLog } from "../log.ts";
import { serveMetrics } from "./serve_metrics.ts";

/** An etcd that only accepts connections, and metrics towards it. */
function scene(change: { port?: number; waits?: number[]; away?: boolean } = {}) {
  const etcd = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = etcd.addr as Deno.NetAddr;
  if (change.away) etcd.close();
  const accepting = (async () => {
    for await (const connection of etcd) connection.close();
  })().catch(() => {});
  const lines: Array<Record<string, unknown>> = [];
  const { promise: waited, resolve } = Promise.withResolvers<void>();
  const stop = new AbortController();
  const done = serveMetrics({
    port: change.port ?? 0,
    endpoints: [`http://127.0.0.1:${port}`],
    metrics: () => "a 1\n",
    health: () => ({ docker: true, etcd: false }),
    log: createLog("info", (line) => lines.push(JSON.parse(line))),
    wait: (ms, signal) => {
      change.waits?.push(ms);
      resolve();
      return delay(60_000, signal);
    },
  }, stop.signal);
  const end = async () => {
    stop.abort();
    await done;
    if (!change.away) etcd.close();
    await accepting;
  };
  return { lines, waited, end };
}

Deno.test("serveMetrics() answers /metrics and /health at the address that leads to etcd, GET only", async () => {
  const { lines, waited, end } = scene();
  await waited;
  const { event, address, port } = lines[0]!;
  assert.deepEqual([event, address], ["metrics served", "127.0.0.1"]);
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return [answer.status, answer.headers.get("content-type"), await answer.text()];
  };
  assert.deepEqual(await ask("/metrics"), [
    200,
    "text/plain; version=0.0.4; charset=utf-8",
    "a 1\n",
  ]);
  assert.deepEqual((await ask("/health"))[2], '{"docker":true,"etcd":false}');
  assert.equal((await ask("/"))[0], 404);
  assert.equal((await ask("/metrics", { method: "POST" }))[0], 405);
  await end();
});

Deno.test("serveMetrics() says once that the port is taken or etcd away, and tries again", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const waits: number[] = [];
  for (
    const change of [{ port: (taken.addr as Deno.NetAddr).port, waits }, { away: true, waits }]
  ) {
    const { lines, waited, end } = scene(change);
    await waited;
    assert.deepEqual(lines.map(({ level, event }) => [level, event]), [["warn", "no metrics"]]);
    await end();
  }
  assert.deepEqual(waits, [5_000, 5_000]);
  taken.close();
});
