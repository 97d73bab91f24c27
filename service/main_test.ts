// The real program as a process of its own: signals, exit codes and what clients see of them.

import assert from "node:assert/strict";
import { KeepAliveClient } from "./keep_alive_client.ts";
import { variables } from "./settings.ts";

/** Starts main.ts with the rights of the binary and, of the environment, `env` only. */
function spawn(args: string[] = [], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net",
      "--allow-sys=hostname",
      `--allow-env=${variables.join(",")}`,
      new URL("./main.ts", import.meta.url).pathname,
      ...args,
    ],
    clearEnv: true,
    env: { ...dirs(), NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What Deno itself needs to find its cache. */
function dirs(): Record<string, string> {
  const names = ["HOME", "DENO_DIR", "PATH"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** Runs the program to its end. */
async function run(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await spawn(args, env).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** An instance on a free port, once it listens; killed at the end if it has not ended by itself. */
async function start(env: Record<string, string> = {}) {
  const process = spawn([], { PORT: "0", HOST: "127.0.0.1", ...env });
  const stderr = new Response(process.stderr).text();
  const events: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  const reading = (async () => {
    let rest = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      events.push(...lines.map((line) => JSON.parse(line)));
      for (const wake of waiting.splice(0)) wake();
    }
    for (const wake of waiting.splice(0)) wake();
  })();
  let ended = false;
  reading.then(() => ended = true);
  const event = async (name: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = events.find((event) => event.event === name);
      if (found) return found;
      if (ended) throw new Error(`ended without "${name}": ${await stderr}`);
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const listening = env.START_DELAY_MS ? undefined : await event("listening");
  return {
    port: Number(listening?.port),
    event,
    signal: (name: Deno.Signal) => process.kill(name),
    /** The exit code. Nothing may have been written beside the log. */
    end: async () => {
      const { code } = await process.status;
      assert.equal(await stderr, "");
      return code;
    },
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch { /* has ended */ }
      await Promise.all([process.status, reading, stderr]);
    },
  };
}

/** Whether somebody listens. A connection that arrives while the port closes may see a reset. */
function accepts(port: number): Promise<boolean> {
  return Deno.connect({ hostname: "127.0.0.1", port }).then((connection) => {
    connection.close();
    return true;
  }, () => false);
}

Deno.test("SIGTERM under keep-alive load: no request fails, in flight or new, and exit 0", async () => {
  await using instance = await start({ DRAIN_SECONDS: "0.6", SHUTDOWN_TIMEOUT_SECONDS: "10" });
  const { port } = instance;
  const loaded = Promise.withResolvers<void>();
  let answered = 0;

  const worker = async () => {
    using client = new KeepAliveClient(port);
    for (;;) {
      const { status, close } = await client.get("/slow?ms=1");
      assert.equal(status, 200);
      if (++answered === 500) loaded.resolve();
      if (close) break; // A well-behaved client lets this connection go …
    }
    using newcomer = new KeepAliveClient(port); // … and one who comes now is still served.
    const { status, close } = await newcomer.get("/");
    assert.deepEqual([status, close], [200, true]);
  };
  const workers = Array.from({ length: 16 }, worker);
  using patient = new KeepAliveClient(port);
  const longer = Promise.allSettled([patient.get("/slow?ms=1500")]); // Outlasts the drain.
  using idle = new KeepAliveClient(port);
  await idle.get("/version");

  await loaded.promise;
  instance.signal("SIGTERM");
  const left = performance.now();
  await Promise.all(workers);

  using probe = new KeepAliveClient(port);
  assert.equal((await probe.get("/readyz")).status, 503);
  using liveness = new KeepAliveClient(port);
  assert.equal((await liveness.get("/healthz")).status, 200);

  assert.equal(await idle.closedByServer(), "closed", "an idle connection ends without a reset");
  assert.ok(performance.now() - left >= 590, "not before the drain is over");
  while (await accepts(port)) { /* its port closes at the same time, in no fixed order */ }
  const [late] = await longer;
  assert.ok(late.status === "fulfilled", String(late.status === "rejected" && late.reason));
  assert.deepEqual([late.value.status, late.value.close], [200, true]);
  assert.equal(await instance.end(), 0);
});

Deno.test("a second signal skips the rest of the drain", async () => {
  await using instance = await start({ DRAIN_SECONDS: "600", SHUTDOWN_TIMEOUT_SECONDS: "900" });
  instance.signal("SIGINT");
  await instance.event("leaving");
  instance.signal("SIGTERM");
  assert.equal(await instance.end(), 0);
});

Deno.test("the deadline cuts off what is still in flight, and exit 1 tells it", async () => {
  await using instance = await start({ DRAIN_SECONDS: "0", SHUTDOWN_TIMEOUT_SECONDS: "0.2" });
  using client = new KeepAliveClient(instance.port);
  const answer = client.get("/slow?ms=10000").then(() => "answered", () => "cut off");
  using other = new KeepAliveClient(instance.port);
  while (!(await other.get("/metrics")).body.includes("http_requests_in_flight 2")) {
    /* not yet */
  }
  instance.signal("SIGTERM");
  assert.equal(await answer, "cut off");
  assert.equal((await instance.event("stopped with requests unanswered")).requests, 1);
  assert.equal(await instance.end(), 1);
});

Deno.test("SIGTERM during the start delay ends at once", async () => {
  await using instance = await start({ START_DELAY_MS: "600000" });
  await instance.event("starting");
  instance.signal("SIGTERM");
  assert.equal(await instance.end(), 0);
});

Deno.test("--healthcheck is 0 while ready, 1 while draining and when nobody is there", async () => {
  await using instance = await start({ DRAIN_SECONDS: "600", SHUTDOWN_TIMEOUT_SECONDS: "900" });
  // A proxy in the environment, as Docker clients put it into containers, must not be asked.
  const env = { PORT: String(instance.port), HTTP_PROXY: "http://127.0.0.1:9" };
  assert.deepEqual(await run(["--healthcheck"], env), {
    code: 0,
    stdout: "HTTP/1.1 200 OK\n",
    stderr: "",
  });
  instance.signal("SIGTERM");
  await instance.event("leaving");
  const draining = await run(["--healthcheck"], env);
  assert.deepEqual([draining.code, draining.stdout], [1, "HTTP/1.1 503 Service Unavailable\n"]);
  instance.signal("SIGTERM");
  await instance.end();
  const gone = await run(["--healthcheck"], env);
  assert.equal(gone.code, 1);
  assert.match(gone.stdout, /Cannot ask 127\.0\.0\.1:\d+: .*refused/i);
});

Deno.test("wrong settings are listed in one message, exit 2", async () => {
  for (const args of [[], ["--healthcheck"]]) {
    const { code, stdout, stderr } = await run(args, { PORT: "http", MAX_SLOW: "1" });
    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      "Cannot start: 2 settings are wrong.\n" +
        '  PORT is "http": give a whole number from 0 to 65535\n' +
        "  MAX_SLOW is not a setting: did you mean MAX_SLOW_MS?\n",
    );
  }
});

Deno.test("an unknown flag is named, exit 2", async () => {
  assert.deepEqual(await run(["--port=80"]), {
    code: 2,
    stdout: "",
    stderr: 'Cannot understand "--port": see service --help\n',
  });
});

Deno.test("a taken port is named, exit 1", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stderr } = await run([], { HOST: "127.0.0.1", PORT: String(port) });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: .*in use.*\n$`));
});

Deno.test("--version and --help go to standard output, exit 0", async () => {
  const version = await run(["--version"], { PORT: "wrong, but not looked at" });
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  const help = await run(["-h"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Usage: service/);
});
