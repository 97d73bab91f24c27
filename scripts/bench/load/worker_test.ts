import assert from "node:assert/strict";
import { accountFor } from "../measure/account.ts";
import { FaultServer } from "./fault_server.ts";
import { Load } from "./load.ts";
import { loadOptions } from "./options.ts";

Deno.test("Load runs in a thread of its own, tells who answers, and stops when told", async () => {
  const server = await FaultServer.start((n) => n === 10 ? "503" : undefined);
  const subject = {};
  const load = new Load(
    loadOptions({ port: server.port, rate: 200, seed: 1, client: "both", subject, maxSeconds: 60 }),
  );
  while (load.counts.begun < 100) await new Promise((resolve) => setTimeout(resolve, 10));
  const recording = await load.stop();
  await server.close();
  const account = accountFor(recording);
  assert.deepEqual([...load.seen.keys()], ["one"]);
  assert.ok(Math.abs(load.seen.get("one")! - recording.startedAt) < 60_000);
  assert.equal(account.answered.GET + account.answered.POST, server.answered);
  assert.deepEqual(account.failures.map(({ kind, count }) => [kind, count]), [["status 503", 1]]);
});

Deno.test("Load ends by itself at its bound, even when nobody stops it", async () => {
  const server = await FaultServer.start();
  const settings = { port: server.port, rate: 500, seed: 1, client: "kept", subject: {} } as const;
  const load = new Load(loadOptions({ ...settings, maxSeconds: 0.2 }));
  await load.finished;
  assert.equal((await load.stop()).ending.length, 100);
  await server.close();
});
