// The load client's honesty: it counts what was really done to it, keeps its rate, and hides no stall.

import assert from "node:assert/strict";
import { accountFor, balances, failed, latencyOf } from "../measure/account.ts";
import { paceOf } from "../measure/pace.ts";
import { type Done, type Fault, FaultServer } from "./fault_server.ts";
import { type LoadHooks, type LoadOptions, runOpenLoop } from "./open_loop.ts";
import type { Recording } from "./recording.ts";

const never = new AbortController().signal;

function load(port: number, options: Partial<LoadOptions> = {}, hooks: Partial<LoadHooks> = {}) {
  const target = { host: "test", getPath: "/", postPath: "/echo", expect: "service" } as const;
  return runOpenLoop({
    address: { hostname: "127.0.0.1", port },
    target,
    mix: { seed: 1, postShare: 0.2, freshShare: 0 },
    rate: 1000,
    maxRequests: 1000,
    connections: 20,
    maxUnderWay: 400,
    timeoutMs: 20_000,
    ...options,
  }, { stop: never, ...hooks });
}

/** How the client has to call what the server did. */
function nameOf({ fault, reused }: Done): string {
  const names: Record<Fault, string> = {
    "reset": reused ? "stale" : "reset",
    "close": reused ? "stale" : "closed",
    "half a head": "cut",
    "half a body": "cut",
    "half a chunk": "cut",
    "503": "status 503",
    "404": "status 404",
    "garbage": "malformed",
    "wrong body": "wrong body",
    "silence": "timeout",
    "stall in the body": "timeout",
  };
  return names[fault];
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function failuresOf(recording: Recording): Record<string, number> {
  const { failures } = accountFor(recording);
  return tally(failures.flatMap(({ kind, count }) => Array<string>(count).fill(kind)));
}

const everyFault: readonly Fault[] = [
  "reset",
  "close",
  "half a head",
  "half a body",
  "half a chunk",
  "503",
  "404",
  "garbage",
  "wrong body",
  "silence",
  "stall in the body",
];

for (
  const { mode, freshShare } of [
    { mode: "kept connections", freshShare: 0 },
    { mode: "a new connection each", freshShare: 1 },
    { mode: "both", freshShare: 0.5 },
  ]
) {
  Deno.test(`the load counts every injected failure exactly: ${mode}`, async () => {
    // Every 10th request, each fault in turn: 99 failures, 9 of each fault.
    const server = await FaultServer.start((n) =>
      n % 10 === 9 ? everyFault[(n - 9) / 10 % 11] : undefined
    );
    const mix = { seed: 7, postShare: 0.3, freshShare };
    const options = { mix, maxRequests: 990, timeoutMs: 2000 };
    const recording = await load(server.port, options);
    await server.close();

    const account = accountFor(recording);
    assert.deepEqual(
      tally(server.done.map(({ fault }) => fault)),
      tally(everyFault.flatMap((f) => Array(9).fill(f))),
    );
    assert.deepEqual(failuresOf(recording), tally(server.done.map(nameOf)));
    assert.equal(account.sent.GET + account.sent.POST, 990);
    assert.equal(account.answered.GET + account.answered.POST, server.answered);
    assert.equal(failed(account), 99);
    assert.ok(balances(account));
    const reused = server.done.filter((done) => done.reused).length;
    if (freshShare === 1) assert.equal(reused, 0);
    else assert.ok(reused > 10, "kept connections are to be used again");
  });
}

Deno.test("the load counts refused connections exactly", async () => {
  const server = await FaultServer.start();
  const { port } = server;
  await server.close();
  const recording = await load(port, { maxRequests: 100 });
  assert.deepEqual(failuresOf(recording), { refused: 100 });
});

Deno.test("the load counts connections that are not made in time", async () => {
  const open: LoadHooks["open"] = (_, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const recording = await load(1, { maxRequests: 50, timeoutMs: 100 }, { open });
  assert.deepEqual(failuresOf(recording), { "connect timeout": 50 });
});

Deno.test("the load counts requests that never got a turn", async () => {
  const server = await FaultServer.start(() => "silence");
  const recording = await load(server.port, {
    rate: 1_000_000, // All are due at once, so their time is over at once.
    maxRequests: 50,
    maxUnderWay: 5,
    timeoutMs: 300,
  });
  assert.deepEqual(failuresOf(recording), { timeout: 50 });
  // A busy machine may look at the clock between two of them: then as many again get the turn of the first five.
  const sent = recording.sent.filter((at) => !Number.isNaN(at)).length;
  assert.ok(sent >= 5 && sent <= 10, `${sent} were sent`);
  await server.close();
});

Deno.test("the load never sends a request twice", async () => {
  const server = await FaultServer.start((n) => n % 3 === 0 ? "reset" : undefined);
  await load(server.port, { maxRequests: 300 });
  await server.close();
  assert.equal(server.answered + server.done.length, 300);
});

Deno.test("the load holds its rate and says how late it was", async () => {
  const server = await FaultServer.start();
  const recording = await load(server.port, { maxRequests: 1000 });
  await server.close();
  const { achievedRate, lateness } = paceOf(recording);
  // Generous, as tests run beside each other; what a run reports is judged far more strictly.
  assert.ok(achievedRate > 800 && achievedRate < 1200, `rate was ${achievedRate}`);
  assert.ok(lateness!.p50 < 50, `half of all requests were ${lateness!.p50} ms late or more`);
});

Deno.test("the load keeps as many connections as it was told", async () => {
  const server = await FaultServer.start((n) => n % 6 === 0 ? undefined : "404"); // No form that closes.
  await load(server.port, { maxRequests: 300, connections: 7, rate: 300 });
  await server.close();
  assert.ok(
    server.connections >= 7 && server.connections < 60,
    `${server.connections} connections`,
  );
});

Deno.test("a stall of the server shows in every request that was due in it", async () => {
  // No more than 10 requests under way: a closed loop would report 10 slow ones, and hide the rest.
  for (const maxUnderWay of [10, 400]) {
    const stall = { from: NaN, to: NaN };
    const server: FaultServer = await FaultServer.start((n) => {
      if (n !== 200) return undefined;
      stall.from = performance.timeOrigin + performance.now();
      const release = server.hold();
      setTimeout(() => {
        stall.to = performance.timeOrigin + performance.now();
        release();
      }, 600);
      return undefined;
    });
    const recording = await load(server.port, { rate: 500, maxRequests: 800, maxUnderWay });
    await server.close();

    assert.equal(failed(accountFor(recording)), 0);
    let due = 0;
    for (let i = 0; i < recording.intended.length; i++) {
      const intended = recording.startedAt + recording.intended[i]!;
      if (intended < stall.from || intended > stall.to) continue;
      due++;
      const latency = latencyOf(recording, i);
      assert.ok(latency >= stall.to - intended - 1, `request ${i} took ${latency} ms`);
    }
    assert.ok(due > 250, `only ${due} requests were due in the stall`);
  }
});

Deno.test("the load stops when it is told, and waits for what is under way", async () => {
  const server = await FaultServer.start();
  const release = server.hold();
  const stop = new AbortController();
  const onProgress = ({ begun }: { begun: number }) => {
    if (begun < 100) return;
    stop.abort();
    release();
  };
  const recording = await load(server.port, {}, { stop: stop.signal, onProgress });
  await server.close();
  assert.ok(recording.ending.length >= 100 && recording.ending.length < 1000);
  assert.equal(
    accountFor(recording).answered.GET + accountFor(recording).answered.POST,
    server.answered,
  );
});

Deno.test("the load names an instance when it first answers", async () => {
  const server = await FaultServer.start();
  const seen: string[] = [];
  await load(server.port, { maxRequests: 20 }, { onSeen: (instance) => seen.push(instance) });
  await server.close();
  assert.deepEqual(seen, ["one"]);
});

Deno.test("the load takes a connection that fails for another reason as unreachable", async () => {
  const open = () => Promise.reject(new Deno.errors.NotConnected("no route"));
  const recording = await load(1, { maxRequests: 5 }, { open });
  assert.deepEqual(failuresOf(recording), { unreachable: 5 });
});
