// The program as it is started: help, mistakes, waiting, and how it ends.
import assert from "node:assert/strict";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

function start(args: readonly string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet", // on a new machine Deno tells of its downloads on standard error
      "--no-check",
      "--allow-net",
      "--allow-env",
      "--allow-sys=hostname",
      "--allow-read",
      MAIN,
      ...args,
    ],
    clearEnv: true, // a ROLLCALL_ variable of whoever runs the tests would be a wrong setting
    env: { ...withoutRollcall(Deno.env.toObject()), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function withoutRollcall(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("ROLLCALL_")));
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await start(args).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("rollcall --help and --version answer and exit 0; an unknown command and wrong settings exit 2", async () => {
  const [help, version, unknown, wrong] = await Promise.all([
    run("registrator", "--help"),
    run("--version"),
    run("registratr"),
    run("registrator", "--ttl", "soon", "--resync", "0"),
  ]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^ROLLCALL\(1\)\n\nNAME\n/);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^Cannot run 'registratr': there is no such command/);
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /^Cannot start: 2 wrong setting\(s\)\n {2}flag --ttl: 'soon'.*\n {2}flag --resync: '0'/,
  );
});

Deno.test("rollcall registrator exits 0 soon after SIGTERM, also while Docker accepts and does not answer", async () => {
  // A Docker that accepts and never answers, the worst one to stop in front of.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const child = start([
    "registrator",
    "--docker",
    `http://127.0.0.1:${port}`,
    "--etcd",
    "http://127.0.0.1:1",
  ]);
  const connection = await listener.accept();
  const stopped = performance.now();
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.ok(performance.now() - stopped < 5_000);
  connection.close();
  listener.close();
});

Deno.test("rollcall registrator without etcd waits, says so once, and exits 0 soon after SIGTERM", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // accepts, never answers
  const { port } = listener.addr as Deno.NetAddr;
  const child = start([
    "registrator",
    "--host",
    "h",
    "--network",
    "edge",
    "--ip",
    "192.0.2.7",
    "--docker",
    "http://127.0.0.1:1",
    "--etcd",
    `http://127.0.0.1:${port}`,
  ]);
  let log = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    log += chunk;
    if (log.includes("waiting for etcd")) {
      child.kill("SIGTERM");
      break;
    }
  }
  const { code } = await child.status;
  await child.stderr.cancel();
  assert.equal(code, 0);
  assert.equal(log.match(/waiting for etcd/g)?.length, 1);
  listener.close();
});

Deno.test("rollcall registrator with -retry-attempts gives up on etcd, says so, and exits 1", async () => {
  const { code, stdout, stderr } = await run(
    ...["registrator", "--host", "h", "--network", "edge", "--ip", "192.0.2.7"],
    ...["--docker", "http://127.0.0.1:1", "--etcd", "http://127.0.0.1:1"],
    ...["-retry-attempts", "1", "-retry-interval", "10"],
  );
  assert.equal(code, 1, stdout + stderr);
  assert.match(stderr, /^Cannot read from etcd after 2 tries\n$/);
});
