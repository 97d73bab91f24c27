// probe() against real sockets on 127.0.0.1.
import assert from "node:assert/strict";
import { probe } from "./probe.ts";
import type { Target } from "./target.ts";

/** No timer, connection or stream may be left behind. */
const STRICT = { sanitizeOps: true, sanitizeResources: true };

const ALWAYS = new AbortController().signal;
type CheckOptions = { readonly path?: string; readonly timeout?: number };

function target(
  port: number,
  { path, timeout = 2_000 }: CheckOptions = {},
  address = "127.0.0.1",
): Target {
  const check = path === undefined
    ? { kind: "tcp", interval: 0, timeout } as const
    : { kind: "http", path, interval: 0, timeout } as const;
  return { name: "a", containerId: "a", portName: String(port), address, port, check };
}

async function withServer(
  answer: (request: Request) => Response | Promise<Response>,
  test: (port: number) => Promise<void>,
) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  try {
    await test(server.addr.port);
  } finally {
    await server.shutdown();
  }
}

/** Listens and hands every connection to `serve`. */
async function withListener(
  serve: (connection: Deno.Conn) => Promise<void>,
  test: (port: number) => Promise<void>,
) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) await serve(connection);
  })();
  try {
    await test((listener.addr as Deno.NetAddr).port);
  } finally {
    listener.close();
    await serving;
  }
}

async function closedPort(): Promise<number> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return await Promise.resolve(port);
}

Deno.test(
  "probe() by TCP passes where something listens, and leaves no connection",
  STRICT,
  async () => {
    const closed: Array<number | null> = [];
    await withListener(async (connection) => {
      closed.push(await connection.read(new Uint8Array(1)));
      connection.close();
    }, async (port) => {
      assert.deepEqual(await probe(target(port), ALWAYS), { ok: true, detail: "connected" });
    });
    assert.deepEqual(closed, [null]);
  },
);

Deno.test("probe() says what to look at where the connection is refused", STRICT, async () => {
  const port = await closedPort();
  for (const check of [{}, { path: "/readyz" }]) {
    const { ok, detail } = await probe(target(port, check), ALWAYS);
    assert.equal(ok, false);
    assert.match(
      detail,
      /^connection refused: is this the right port, .* 0\.0\.0\.0, not on 127\.0\.0\.1/,
    );
  }
});

Deno.test("probe() by HTTP passes with 2xx and 3xx, and follows no redirect", STRICT, async () => {
  const asked: string[] = [];
  await withServer(({ url, headers }) => {
    const { pathname } = new URL(url);
    asked.push(`${pathname} ${headers.get("user-agent")}`);
    const status = Number(pathname.slice(1));
    return new Response(null, { status, headers: { location: "http://192.0.2.1/" } });
  }, async (port) => {
    for (const status of [200, 204, 302, 399]) {
      assert.deepEqual(await probe(target(port, { path: `/${status}` }), ALWAYS), {
        ok: true,
        detail: `status is ${status}`,
      });
    }
    for (const status of [400, 404, 500, 503]) {
      assert.deepEqual(await probe(target(port, { path: `/${status}` }), ALWAYS), {
        ok: false,
        detail: `status is ${status}: 200 to 399 would do`,
      });
    }
  });
  assert.equal(asked[0], "/200 rollcall");
});

Deno.test(
  "probe() by HTTP opens a new connection each time: the next must find out whether one is accepted",
  STRICT,
  async () => {
    const peers = new Set<number>();
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (_, { remoteAddr }) => {
        peers.add(remoteAddr.port);
        return new Response("x".repeat(100_000));
      },
    );
    for (let i = 0; i < 3; i++) await probe(target(server.addr.port, { path: "/" }), ALWAYS);
    await server.shutdown();
    assert.equal(peers.size, 3);
  },
);

Deno.test("probe() gives up after its timeout and says so", STRICT, async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await withServer(() => promise, async (port) => {
    const finding = await probe(target(port, { path: "/", timeout: 30 }), ALWAYS);
    resolve(new Response());
    assert.deepEqual(finding, {
      ok: false,
      detail: "no answer within 30 ms: is it overloaded, or SERVICE_CHECK_TIMEOUT too short?",
      silent: true,
    });
  });
});

Deno.test("probe() ends when the signal fires, before it or while it waits", STRICT, async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  await withServer(() => (asked.resolve(), promise), async (port) => {
    const stop = new AbortController();
    const probing = probe(target(port, { path: "/", timeout: 60_000 }), stop.signal);
    await asked.promise;
    stop.abort();
    assert.equal((await probing).ok, false);
    assert.equal((await probe(target(port), stop.signal)).ok, false);
    resolve(new Response());
  });
});

Deno.test(
  "probe() by HTTP says so when the connection is closed without an answer, or with nonsense",
  STRICT,
  async () => {
    let reply = "";
    await withListener(async (connection) => {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(reply));
      connection.close();
    }, async (port) => {
      const closed = await probe(target(port, { path: "/" }), ALWAYS);
      assert.equal(closed.ok, false);
      assert.match(closed.detail, /^connection closed without an answer: /);
      reply = "220 mail \u001b[31m ready\r\n";
      const { ok, detail } = await probe(target(port, { path: "/" }), ALWAYS);
      assert.equal(ok, false);
      assert.ok(detail.length > 5 && detail.length <= 200);
      assert.doesNotMatch(detail, /\p{Cc}/u);
    });
  },
);

Deno.test("probe() never throws, also for what is no address", STRICT, async () => {
  for (const check of [{}, { path: "/" }]) {
    const finding = await probe(target(80, { ...check, timeout: 200 }, "not an address"), ALWAYS);
    assert.equal(finding.ok, false);
  }
});

Deno.test(
  "probe() by HTTP passes by the statuses that are expected, and asks as it is told to",
  STRICT,
  async () => {
    const methods: string[] = [];
    await withServer((request) => {
      methods.push(request.method);
      return new Response(null, { status: 301, headers: { location: "/x" } });
    }, async (port) => {
      const plain = target(port, { path: "/" });
      const probing = async (change: Record<string, unknown>) =>
        (await probe({ ...plain, check: { ...plain.check, ...change } }, ALWAYS)).ok;
      assert.equal(await probing({}), true);
      assert.equal(await probing({ statuses: [[200, 299]] }), false);
      assert.equal(await probing({ statuses: [[200, 200], [301, 302]], method: "HEAD" }), true);
      assert.deepEqual(methods, ["GET", "GET", "HEAD"]);
    });
  },
);
