// HttpEngine against a local server that plays Docker.
import assert from "node:assert/strict";
import { HttpEngine } from "./engine.ts";
import type { ContainerEvent } from "./events.ts";

/** No timer, connection or stream may be left behind. */
const STRICT = { sanitizeOps: true, sanitizeResources: true };

const DATA = new URL("./testdata/", import.meta.url);
const recorded = (name: string) => Deno.readTextFileSync(new URL(name, DATA));

/** Runs `test` against an engine that `answer` plays. */
async function withDocker(
  answer: (request: Request) => Response | Promise<Response>,
  test: (engine: HttpEngine, base: string) => Promise<void>,
  deadline?: number,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const base = `http://127.0.0.1:${server.addr.port}`;
  try {
    await test(new HttpEngine(base, deadline), base);
  } finally {
    await server.shutdown();
  }
}

/** A reply that never comes. */
function silence(request: Request): Promise<Response> {
  return new Promise((resolve) =>
    request.signal.addEventListener("abort", () => resolve(new Response()))
  );
}

/** A stream of events that the test writes. */
function stream() {
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  return {
    response: () => new Response(readable.pipeThrough(new TextEncoderStream())),
    write: (text: string) => writer.write(text),
    close: () => writer.close().catch(() => {}),
  };
}

Deno.test("HttpEngine.list() asks GET /containers/json and reads it", STRICT, async () => {
  const asked: string[] = [];
  await withDocker((request) => {
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    return new Response(recorded("list.json"));
  }, async (engine) => {
    assert.equal((await engine.list()).length, 10);
    assert.deepEqual(asked, ["GET /containers/json"]);
  });
});

Deno.test(
  "HttpEngine.inspect() reads a container, and is undefined for one that is gone",
  STRICT,
  async () => {
    await withDocker(
      ({ url }) =>
        new URL(url).pathname === "/containers/a/json"
          ? new Response(recorded("inspect_running.json"))
          : new Response('{"message":"No such container"}', { status: 404 }),
      async (engine) => {
        assert.equal((await engine.inspect("a"))?.name, "shop-web-1");
        assert.equal(await engine.inspect("b"), undefined);
      },
    );
  },
);

Deno.test("HttpEngine asks at a socket in the file system, too", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/docker.sock`;
  const asked: string[] = [];
  const server = Deno.serve({ path, onListen() {} }, (request) => {
    asked.push(`${request.method} ${new URL(request.url).pathname} ${request.headers.get("host")}`);
    return Response.json({ Name: "vm" });
  });
  try {
    assert.equal(await new HttpEngine(`unix://${path}`).hostName(), "vm");
    assert.deepEqual(asked, ["GET /info localhost"]); // a name that is known everywhere
    const missing = new HttpEngine(`unix://${folder}/missing.sock`);
    await assert.rejects(missing.hostName(), /no answer from unix:.*missing\.sock/);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("HttpEngine.inspect() cannot be led to another path by an id", STRICT, async () => {
  const asked: string[] = [];
  await withDocker(({ url }) => {
    asked.push(new URL(url).pathname);
    return new Response(null, { status: 404 });
  }, async (engine) => {
    await engine.inspect("../../info?x#y");
    assert.deepEqual(asked, ["/containers/..%2F..%2Finfo%3Fx%23y/json"]);
  });
});

Deno.test("HttpEngine.hostName() is what Docker calls the host", STRICT, async () => {
  let reply = '{"Name":"dockerhost"}';
  await withDocker(() => new Response(reply), async (engine) => {
    assert.equal(await engine.hostName(), "dockerhost");
    for (reply of ['{"Name":""}', "{}", "null"]) {
      await assert.rejects(
        engine.hostName(),
        /^Error: Cannot ask Docker for its name: the reply has none/,
      );
    }
  });
});

Deno.test("HttpEngine says what failed, with the status and Docker's words", STRICT, async () => {
  let status = 500;
  await withDocker(() => new Response("server\n error", { status }), async (engine) => {
    await assert.rejects(engine.list(), {
      message: "Cannot list containers: status is 500 (server error)",
    });
    status = 403;
    await assert.rejects(engine.inspect("a"), /^Error: Cannot inspect container: status is 403/);
    status = 502;
    await assert.rejects(engine.list(), /socket-proxy cannot open docker.sock/);
    await assert.rejects(
      engine.events(() => {}, new AbortController().signal)[Symbol.asyncIterator]().next(),
      /^Error: Cannot follow events: status is 502 \(socket-proxy cannot open docker.sock/,
    );
  });
});

Deno.test("HttpEngine.list() throws on half a reply and on what is no list", STRICT, async () => {
  let reply = recorded("list.json").slice(0, 300);
  await withDocker(() => new Response(reply), async (engine) => {
    await assert.rejects(engine.list(), /^Error: Cannot list containers: /);
    reply = '{"message":"hello"}';
    await assert.rejects(engine.list(), /^Error: Cannot read the list of containers: /);
  });
});

Deno.test("HttpEngine says where nobody answers", STRICT, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const engine = new HttpEngine(`http://127.0.0.1:${port}`);
  const message = new RegExp(`no answer from http://127.0.0.1:${port}`);
  await assert.rejects(engine.list(), message);
  await assert.rejects(
    engine.events(() => {}, new AbortController().signal)[Symbol.asyncIterator]().next(),
    message,
  );
});

Deno.test("HttpEngine gives up on a Docker that accepts and does not answer", STRICT, async () => {
  await withDocker(silence, async (engine) => {
    await assert.rejects(engine.list(), /^Error: Cannot list containers: .*no answer within 30 ms/);
    await assert.rejects(
      engine.events(() => assert.fail(), new AbortController().signal)[Symbol.asyncIterator]()
        .next(),
      /^Error: Cannot follow events: .*no answer within 30 ms/,
    );
  }, 30);
});

Deno.test("HttpEngine ends a call at once when the signal fires", STRICT, async () => {
  await withDocker(silence, async (engine) => {
    const stop = new AbortController();
    const calls = [
      engine.list(stop.signal),
      engine.inspect("a", stop.signal),
      engine.hostName(stop.signal),
    ];
    stop.abort();
    for (const call of calls) await assert.rejects(call, /^Error: Cannot /);
  });
});

Deno.test(
  "HttpEngine.events() asks for what concerns us, and yields it in order",
  STRICT,
  async () => {
    const docker = stream();
    let filters = "";
    await withDocker(({ url }) => {
      filters = new URL(url).searchParams.get("filters") ?? "";
      return docker.response();
    }, async (engine) => {
      const lines = recorded("events.ndjson");
      const stop = new AbortController();
      const heard: ContainerEvent[] = [];
      let opened = 0;
      // In pieces that do not end where lines end, and with the empty lines that keep a connection alive.
      const all = `\n${lines}\n`;
      for (let at = 0; at < all.length; at += 700) docker.write(all.slice(at, at + 700));
      const expected = lines.trim().split("\n").length;
      for await (const event of engine.events(() => opened++, stop.signal)) {
        if (heard.push(event) === expected) stop.abort();
      }
      assert.equal(opened, 1);
      assert.equal(heard.filter(({ action }) => action === "start").length, 6);
      assert.deepEqual(JSON.parse(filters).type, ["container", "network"]);
      await docker.close();
    });
  },
);

Deno.test(
  "HttpEngine.events() ends quietly when the signal fires while nothing happens",
  STRICT,
  async () => {
    const docker = stream();
    await withDocker(() => docker.response(), async (engine) => {
      const stop = new AbortController();
      docker.write("\n");
      for await (const _ of engine.events(() => stop.abort(), stop.signal)) assert.fail();
      for await (const _ of engine.events(() => assert.fail(), stop.signal)) assert.fail();
      await docker.close();
    });
  },
);

Deno.test("HttpEngine.events() throws when Docker closes the stream", STRICT, async () => {
  const docker = stream();
  await withDocker(() => docker.response(), async (engine) => {
    docker.write("\n");
    docker.close();
    const events = engine.events(() => {}, new AbortController().signal);
    await assert.rejects(events[Symbol.asyncIterator]().next(), /Docker closed the stream/);
  });
});

Deno.test("HttpEngine.events() throws when the connection breaks off", STRICT, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const engine = new HttpEngine(`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`);
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(new TextEncoder().encode(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n\n\r\n",
    ));
    connection.close();
  })();
  const events = engine.events(() => {}, new AbortController().signal);
  await assert.rejects(
    events[Symbol.asyncIterator]().next(),
    /^Error: Cannot follow events: the stream broke/,
  );
  await serving;
  listener.close();
});

Deno.test(
  "HttpEngine.events() throws on a line that is no event: the stream is out of step",
  STRICT,
  async () => {
    const docker = stream();
    await withDocker(() => docker.response(), async (engine) => {
      docker.write('{"Type":"container"}\n');
      const events = engine.events(() => {}, new AbortController().signal);
      await assert.rejects(events[Symbol.asyncIterator]().next(), /^Error: Cannot read an event: /);
      await docker.close();
    });
  },
);

Deno.test(
  "HttpEngine.events() leaves no connection open when its reader stops early",
  STRICT,
  async () => {
    const closed = Promise.withResolvers<void>();
    const lines = new TextEncoder().encode(recorded("events.ndjson"));
    const endless = () =>
      new ReadableStream({
        start: (controller) => controller.enqueue(lines),
        cancel: () => closed.resolve(),
      });
    await withDocker(() => new Response(endless()), async (engine) => {
      for await (const _ of engine.events(() => {}, new AbortController().signal)) break;
      await closed.promise;
    });
  },
);
