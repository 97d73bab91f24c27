import assert from "node:assert/strict";
import { fakeProgram, shell, tempDir } from "./shell.ts";

const files = ["log", "port"];

Deno.test("is_port accepts 1 to 65535 and nothing else", async () => {
  const check = (text: string) => shell(files, `is_port "$1"`, { args: [text] });
  for (const text of ["1", "8080", "65535", "080"]) assert.equal((await check(text)).code, 0, text);
  for (const text of ["0", "65536", "99999", "-1", "80a", "", " 80", "8080:80"]) {
    assert.notEqual((await check(text)).code, 0, text);
  }
});

Deno.test("port_is_taken sees a listener, on whatever address, and its end", async () => {
  for (const hostname of ["127.0.0.1", "0.0.0.0", "::"]) {
    const listener = Deno.listen({ port: 0, hostname });
    const port = String(listener.addr.port);
    assert.equal((await shell(files, `port_is_taken "$1"`, { args: [port] })).code, 0, hostname);
    listener.close();
    assert.equal((await shell(files, `port_is_taken "$1"`, { args: [port] })).code, 1, hostname);
  }
});

Deno.test("http_status prints the code of GET /", async () => {
  let path = "";
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    path = new URL(request.url).pathname;
    return new Response("nobody", { status: 503 });
  });
  const { stdout } = await shell(files, `http_status "$1"`, { args: [String(server.addr.port)] });
  await server.shutdown();
  assert.equal(stdout, "503\n");
  assert.equal(path, "/");
});

Deno.test("http_status prints nothing when nobody listens or what listens does not speak HTTP", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const port = String(listener.addr.port);
  const answering = (async () => {
    const connection = await listener.accept();
    await connection.write(new TextEncoder().encode("SSH-2.0-x y\r\n"));
    connection.close();
  })();
  assert.deepEqual(await shell(files, `http_status "$1"`, { args: [port] }), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  await answering;
  listener.close();
  assert.equal((await shell(files, `http_status "$1"`, { args: [port] })).stdout, "");
});

Deno.test("port_container names the container that publishes the port", async () => {
  await using dir = await tempDir();
  await fakeProgram(
    `${dir.path}/docker`,
    `echo "$*" > ${dir.path}/args; echo "rollcall nginx rollcall-nginx-1"`,
  );
  const { stdout } = await shell(files, "port_container 8080", {
    env: { PATH: `${dir.path}:${Deno.env.get("PATH")}` },
  });
  assert.equal(stdout, "rollcall nginx rollcall-nginx-1\n");
  assert.match(await Deno.readTextFile(`${dir.path}/args`), /^ps --filter publish=8080\/tcp /);
});
