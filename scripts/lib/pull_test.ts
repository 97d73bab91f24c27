import assert from "node:assert/strict";
import { fakeProgram, shell, tempDir } from "./shell.ts";

/** Runs pull_image with a fake docker of the given body. */
async function pull(
  docker: string,
  seconds = 5,
  clock = "",
): Promise<{ code: number; log: string }> {
  await using dir = await tempDir();
  await fakeProgram(`${dir.path}/docker`, docker);
  const log = `${dir.path}/log`;
  const { code } = await shell(["pull"], `${clock}\npull_image nginx:1.30 "$1" "$2"`, {
    args: [log, String(seconds)],
    env: { PATH: `${dir.path}:${Deno.env.get("PATH")}` },
  });
  return { code, log: await Deno.readTextFile(log) };
}

const NO_ANSWER = 20;

Deno.test("pull_image succeeds", async () => {
  const { code } = await pull("echo '1.30: Pulling from library/nginx'; echo 'Digest: sha256:0'");
  assert.equal(code, 0);
});

Deno.test("pull_image waits beyond the limit for a registry that has begun to answer", async () => {
  // The clock moves on only when the registry has begun, however slow this machine is.
  const clock = `sleep() { until grep -q Pulling "$log"; do command sleep 0.02; done; }`;
  const { code } = await pull("echo '1.30: Pulling from library/nginx'; sleep 1.5", 1, clock);
  assert.equal(code, 0);
});

Deno.test("pull_image gives up, and ends the pull, when no registry answers in time", async () => {
  const { code, log } = await pull("exec sleep 60", 1);
  assert.equal(code, NO_ANSWER);
  assert.match(log, /no answer within 1 s/);
});

Deno.test("pull_image takes what is not a registry's word for no answer", async () => {
  const errors = [
    "dial tcp: lookup registry.example on 10.0.0.1:53: no such host",
    "dial tcp 10.0.0.1:443: connect: connection refused",
    "x509: certificate signed by unknown authority",
    "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value",
    "net/http: request canceled while waiting for connection (Client.Timeout exceeded)",
  ];
  for (const error of errors) {
    const { code } = await pull(`echo "Error response from daemon: ${error}" >&2; exit 1`);
    assert.equal(code, NO_ANSWER, error);
  }
});

Deno.test("pull_image fails when a registry refuses, or breaks off", async () => {
  const bodies = [
    "echo 'Error response from daemon: manifest for nginx:9 not found: manifest unknown: x' >&2; exit 1",
    "echo 'toomanyrequests: You have reached your pull rate limit.' >&2; exit 1",
    "echo 'pull access denied for x, repository does not exist or may require login' >&2; exit 1",
    "echo '1.30: Pulling from library/nginx'; echo 'no space left on device' >&2; exit 1",
  ];
  for (const body of bodies) assert.equal((await pull(body)).code, 1, body);
});
