import assert from "node:assert/strict";
import { FakeClock, settle } from "./fake_clock.ts";
import { healthcheck } from "./healthcheck.ts";

/** Something that accepts one connection, reads and lets `answer` deal with it; gives its port. */
function listen(answer: (connection: Deno.TcpConn, request: string) => Promise<unknown>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    const chunk = new Uint8Array(1024);
    const length = await connection.read(chunk) ?? 0;
    await answer(connection, new TextDecoder().decode(chunk.subarray(0, length)));
  })();
  const { port } = listener.addr;
  return { port, [Symbol.asyncDispose]: () => serving.finally(() => listener.close()) };
}

const send = (connection: Deno.TcpConn, text: string) =>
  connection.write(new TextEncoder().encode(text));

Deno.test("healthcheck() is ok when /readyz is 200", async () => {
  let asked = "";
  await using server = listen((connection, request) => {
    asked = request;
    return send(connection, "HTTP/1.1 200 OK\r\nx: y\r\n\r\n{}");
  });
  assert.deepEqual(await healthcheck("0.0.0.0", server.port, new FakeClock()), {
    ok: true,
    reason: "HTTP/1.1 200 OK",
  });
  assert.match(asked, /^GET \/readyz HTTP\/1\.1\r\nHost: /);
});

Deno.test("healthcheck() is not ok when /readyz is anything else", async () => {
  for (const line of ["HTTP/1.1 503 Service Unavailable", "HTTP/1.1 404 Not Found", "SSH-2.0-x"]) {
    await using server = listen((connection) => send(connection, `${line}\r\n\r\n`));
    assert.deepEqual(await healthcheck("127.0.0.1", server.port, new FakeClock()), {
      ok: false,
      reason: line,
    });
  }
});

Deno.test("healthcheck() puts a split answer together", async () => {
  await using server = listen(async (connection) => {
    connection.setNoDelay(true);
    await send(connection, "HTTP/1.1 2");
    await settle();
    await send(connection, "00 OK\r\n\r\n");
  });
  assert.equal((await healthcheck("0.0.0.0", server.port, new FakeClock())).ok, true);
});

Deno.test("healthcheck() says when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { ok, reason } = await healthcheck("0.0.0.0", port, new FakeClock());
  assert.equal(ok, false);
  assert.match(reason, new RegExp(`^Cannot ask 127\\.0\\.0\\.1:${port}: .*refused`, "i"));
});

Deno.test("healthcheck() says when the connection closes without an answer", async () => {
  await using server = listen(() => Promise.resolve());
  const { ok, reason } = await healthcheck("0.0.0.0", server.port, new FakeClock());
  assert.equal(ok, false);
  assert.match(reason, /closed without an answer/);
});

Deno.test("healthcheck() does not wait for ever", async () => {
  const clock = new FakeClock();
  const asked = Promise.withResolvers<void>();
  const given = Promise.withResolvers<void>();
  await using server = listen(() => {
    asked.resolve();
    return given.promise;
  });
  const health = healthcheck("0.0.0.0", server.port, clock);
  await asked.promise;
  await clock.advance(2000);
  const { ok, reason } = await health;
  given.resolve();
  assert.equal(ok, false);
  assert.match(reason, /no answer within 2000 ms/);
});
