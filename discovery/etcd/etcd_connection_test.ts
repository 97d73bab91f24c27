// Whose turn it is after a failure, and certificates that change. Nothing here connects.
import assert from "node:assert/strict";
import { type Etcd3, EtcdLeaseInvalidError } from "etcd3";
import { EtcdConnection } from "./etcd_connection.ts";
import { TlsError, validUntil } from "./tls_files.ts";

const THREE = { endpoints: ["http://a:2379", "http://b:2379", "http://c:2379"] };

const client = (connection: EtcdConnection) =>
  connection.call((client) => Promise.resolve<Etcd3>(client));
const fails = async (connection: EtcdConnection, error: Error) => {
  await assert.rejects(connection.call(() => Promise.reject(error)), error);
};

Deno.test("call() stays with an endpoint as long as it answers, and goes round when they fail", async () => {
  const connection = new EtcdConnection(THREE);
  const first = await client(connection);
  assert.equal(await client(connection), first);
  await fails(connection, new Error("14 UNAVAILABLE"));
  const second = await client(connection);
  assert.notEqual(second, first);
  assert.equal(await client(connection), second);
  await fails(connection, new Error("14 UNAVAILABLE"));
  await fails(connection, new Error("4 DEADLINE_EXCEEDED"));
  assert.equal(await client(connection), first);
  connection.close();
});

Deno.test("call() takes a lease that is gone for an answer", async () => {
  const connection = new EtcdConnection(THREE);
  const first = await client(connection);
  await fails(connection, new EtcdLeaseInvalidError("requested lease not found"));
  assert.equal(await client(connection), first);
  connection.close();
});

Deno.test("calls that fail at once move on by one endpoint together", async () => {
  const connection = new EtcdConnection(THREE);
  const failure = new Error("14 UNAVAILABLE");
  const { promise, reject } = Promise.withResolvers<never>();
  const calls = [1, 2].map(() => assert.rejects(connection.call(() => promise), failure));
  reject(failure);
  await Promise.all(calls);
  const second = await client(connection);
  await fails(connection, failure);
  await fails(connection, failure);
  await fails(connection, failure);
  assert.equal(await client(connection), second);
  connection.close();
});

/** A CA, and a certificate with its key in one file, in a folder that is removed after the block. */
async function certificate(): Promise<
  { ca: string; cert: string; again: () => Promise<void> } & AsyncDisposable
> {
  const folder = await Deno.makeTempDir();
  const again = async () => {
    const { success, stderr } = await new Deno.Command("bash", {
      args: [
        "-ceu",
        `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=x -keyout key -out ca
        cat key ca >new && mv new pem`,
      ],
      cwd: folder,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  await again();
  return {
    ca: `${folder}/ca`,
    cert: `${folder}/pem`,
    again,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("a renewed certificate means new connections, a look a second; half a renewal means none", async () => {
  await using tls = await certificate();
  let now = 10_000;
  const place = { endpoints: ["https://etcd:2379"], tls };
  const connection = new EtcdConnection(place, () => now);
  const old = await client(connection);
  await tls.again();
  assert.equal(await client(connection), old); // looked at just now
  now += 1_000;
  const renewed = await client(connection);
  assert.notEqual(renewed, old);
  await Deno.rename(tls.cert, `${tls.cert}.away`);
  now += 1_000;
  assert.equal(await client(connection), renewed);
  await Deno.writeTextFile(tls.cert, "not a certificate");
  now += 1_000;
  assert.equal(await client(connection), renewed);
  await tls.again();
  now += 1_000;
  assert.notEqual(await client(connection), renewed);
  connection.close();
  old.close();
});

Deno.test("a certificate that is missing or wrong is named at once, with the remedy", async () => {
  await using tls = await certificate();
  const endpoints = ["https://etcd:2379"];
  const missing = { ...tls, cert: `${tls.cert}x` };
  assert.throws(
    () => new EtcdConnection({ endpoints, tls: missing }),
    (error) => error instanceof TlsError && error.message.includes(missing.cert),
  );
  assert.throws(
    () => new EtcdConnection({ endpoints, tls: { ...tls, cert: tls.ca } }),
    /there is no PRIVATE KEY in it. `.\/scripts\/certs` makes/,
  );
  new EtcdConnection({ endpoints, tls: { ...tls, cert: tls.ca, key: tls.cert } }).close();
});

Deno.test("validUntil() reads the end of our own certificate, wherever the key stands", async () => {
  await using tls = await certificate();
  const days = (validUntil(tls).getTime() - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days < 7.1, `${days}`);
});
