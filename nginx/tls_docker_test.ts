// TLS at the edge on real nginx: which certificate a client gets, what a bad file does, and that a new one costs no request.
import assert from "node:assert/strict";
import { connect, type PeerCertificate } from "node:tls";
import { docker, dockerTest, eventually, run } from "../scripts/testing/docker.ts";
import { Edge, registration } from "./testing/edge.ts";

const CERTS = new URL("../scripts/certs", import.meta.url).pathname;

/** Makes a CA and pairs in /certs: `make NAME CN SUBJECT_ALT_NAME`, in the folder `to`. What is to be seen as a whole is moved. */
const OPENSSL = `set -eu; cd /certs
new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$2" -keyout $1.key "\${@:3}" -out $1.crt; }
[ -e ca/ca.crt ] || { mkdir -p ca edge; new ca/ca test; }
to=edge
make() { new "$to/$1" "$2" -CA ca/ca.crt -CAkey ca/ca.key -addext "subjectAltName=$3" -addext basicConstraints=critical,CA:FALSE -days 30; }
`;

dockerTest("TLS at the edge", async (t) => {
  await using edge = await Edge.build();
  const folder = await Deno.makeTempDir({ prefix: "rollcall-tls-" });
  /** Runs a script in a container that has openssl, in the folder above certs/edge. */
  const openssl = (script: string) =>
    docker(
      ...["run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", "bash"],
      ...["-v", `${folder}:/certs`, `${edge.name}-nginx`, "-c"],
      // The edge's user must be able to read them, and whoever runs the test to remove them.
      `${OPENSSL}{ ${script}; } 2>&1; chmod -R a+rwX /certs`,
    );
  /** What curl says in the edge's container, where every name leads to the edge itself. */
  const curl = (url: string, ...args: readonly string[]) =>
    edge.exec(
      `curl -sS --max-time 5 --connect-to ::127.0.0.1: --cacert /etc/rollcall/edge/.ca ${
        args.join(" ")
      } ${url}`,
    );
  /** Who the edge says that it is, to a client that asks for `name`. */
  const certificate = (name: string) =>
    new Promise<PeerCertificate>((resolve, reject) => {
      const socket = connect(
        { host: "127.0.0.1", port: edge.tlsPort, servername: name, rejectUnauthorized: false },
        () => {
          resolve(socket.getPeerCertificate());
          socket.destroy();
        },
      );
      socket.setTimeout(5_000, () => socket.destroy(new Error("no handshake within 5 s")));
      socket.on("error", reject);
    });
  const subject = async (name: string) => (await certificate(name)).subject.CN;
  const leftOut = async (file: string) =>
    (await edge.events("certificate_left_out")).filter((event) => event.file === file).at(-1);

  await edge.startEtcd();
  await edge.vouch();
  const address = await edge.instance("$http_x_forwarded_proto $http_host $server_protocol");
  await edge.put({ "/services/service/test:a:8080": registration(address) });
  await openssl(`
    make www.example.org exact DNS:www.example.org
    make _.example.org wildcard 'DNS:*.example.org'
    make default default DNS:localhost
    cp ca/ca.crt edge/.ca`);

  try {
    await t.step("without the overlay there is nothing of it", async () => {
      await edge.start();
      await eventually(async () => assert.equal((await edge.get()).status, 200));
      assert.doesNotMatch(await edge.config(), /ssl|8443|http2|tls|308/);
      assert.equal(
        (await edge.exec("ls /run/rollcall | grep -c certificates.pid || true")).trim(),
        "0",
      );
      await edge.remove("edge");
    });

    await t.step("each name has its own certificate, over HTTP/2", async () => {
      await edge.start({ TLS: "on", HSTS_MAX_AGE: "600", SWEEP_INTERVAL: "1s" }, `${folder}/edge`);
      await eventually(async () => {
        const said = await curl(
          "https://www.example.org:8443/",
          "--http2",
          "-w '|%{http_version}'",
        );
        assert.equal(said, "https www.example.org:8443 HTTP/1.1|2");
      });
      assert.equal(await subject("www.example.org"), "exact");
      assert.equal(await subject("a.example.org"), "wildcard");
      assert.equal(await subject("other.test"), "default");
      assert.match(await curl("https://localhost:8443/", "--http1.1"), /^https localhost:8443 /);
      assert.deepEqual(await edge.warnings(), []);
    });

    await t.step("TLS 1.2 and 1.3, nothing older; HSTS over TLS alone", async () => {
      for (const version of ["1.2", "1.3"]) {
        await curl("https://localhost:8443/", `--tlsv${version} --tls-max ${version}`);
      }
      await assert.rejects(
        curl("https://localhost:8443/", "--tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0"),
        /exit code is 35/,
      );
      assert.match(
        await curl("https://localhost:8443/", "-i"),
        /strict-transport-security: max-age=600\r/i,
      );
      const plain = await edge.get();
      assert.equal(plain.status, 200, "not redirected, as nobody asked for it");
      assert.equal(plain.headers.get("strict-transport-security"), null);
    });

    await t.step("bad files are left out and named, the others serve", async () => {
      await openssl(`
        mkdir bad; to=bad; shopt -s dotglob
        make mismatch.test x DNS:x; make mismatch2.test y DNS:y; cp bad/mismatch2.test.key bad/mismatch.test.key
        echo broken > bad/broken.test.crt; echo broken > bad/broken.test.key
        make cut.test x DNS:x; head -c 300 bad/cut.test.crt > x; mv x bad/cut.test.crt
        make keyless.test x DNS:x; rm bad/keyless.test.key
        make secret.test x DNS:x; openssl pkey -aes256 -passout pass:x -in bad/secret.test.key -out x; mv x bad/secret.test.key
        make piped.test x DNS:x; rm bad/piped.test.crt; mkfifo bad/piped.test.crt
        for name in 'a; } server { listen 1; #' $'b\\n;' '..' 'UPPER.test' '$host' '*.test' '-a.test' 'hostnames' '"' 'a b' "$(printf 'a%.0s' {1..240})"; do
          cp edge/default.crt "bad/$name.crt"; cp edge/default.key "bad/$name.key"
        done
        mv bad/* edge; to=edge
        make good.test good DNS:good.test`);
      await eventually(async () => assert.equal(await subject("good.test"), "good"));
      const reasons: Record<string, RegExp> = {
        "mismatch.test.crt": /^mismatch.test.key does not belong to mismatch.test.crt/,
        "broken.test.crt": /^broken.test.crt holds no certificate/,
        "cut.test.crt": /^cut.test.crt holds no certificate/,
        "keyless.test.crt": /^there is no keyless.test.key/,
        "secret.test.crt": /^secret.test.key is protected by a passphrase/,
        "piped.test.crt": /^piped.test.crt is not a file/,
        "a____server___listen_1___.crt": /not called after a host name/,
      };
      for (const [file, reason] of Object.entries(reasons)) {
        const shown = file.startsWith("a_") ? "a????server???listen?1???.crt" : file;
        await eventually(async () => assert.match(String((await leftOut(shown))?.reason), reason), {
          within: 5_000,
        });
      }
      for (const name of ["mismatch.test", "broken.test", "upper.test", "hostnames"]) {
        assert.equal(await subject(name), "default", name);
      }
      assert.equal(await subject("www.example.org"), "exact");
      assert.deepEqual(await edge.warnings(), []);
      assert.match(await edge.exec("cat /run/rollcall/tls/listing.conf"), /of 5 names/);
    });

    await t.step("a certificate is changed under load: no request fails", async () => {
      const caCerts = [await Deno.readTextFile(`${folder}/ca/ca.crt`)];
      let done = false, sent = 0;
      const failed: unknown[] = [];
      const one = async (client: Deno.HttpClient) => {
        try {
          const url = `https://localhost:${edge.tlsPort}/`;
          const response = await fetch(url, { client, signal: AbortSignal.timeout(5_000) });
          const body = await response.text();
          if (response.status !== 200) failed.push(body);
        } catch (cause) {
          failed.push(cause);
        }
        sent++;
      };
      // A handshake for each request: there is no kept connection on which a client could send it a second time.
      const anew = async () => {
        while (!done) {
          const client = Deno.createHttpClient({ caCerts, poolMaxIdlePerHost: 0 });
          await one(client);
          client.close();
        }
      };
      // One connection for many, as browsers do: HTTP/2, and HTTP/1.1.
      const kept = async (http2: boolean) => {
        const client = Deno.createHttpClient({ caCerts, http2, http1: !http2 });
        while (!done) await one(client);
        client.close();
      };
      const running = [anew(), anew(), kept(true), kept(false)];
      const { fingerprint256: before } = await certificate("localhost");
      // The two files do not come at once: until they fit, the last good pair stays.
      await openssl(
        "mkdir spare; to=spare; make default changed DNS:localhost; mv spare/default.crt edge",
      );
      await eventually(async () =>
        assert.match(String((await leftOut("default.crt"))?.reason), /its last good one stays/)
      );
      assert.equal((await certificate("localhost")).fingerprint256, before);
      await openssl("mv spare/default.key edge");
      await eventually(async () => assert.equal(await subject("localhost"), "changed"));
      for (const text of ["again", "and-again"]) {
        await openssl(`make default ${text} DNS:localhost`);
        await eventually(async () => assert.equal(await subject("localhost"), text));
      }
      done = true;
      await Promise.all(running);
      assert.deepEqual(failed, []);
      assert.ok(sent > 50, `${sent} requests`);
    });

    await t.step("an expired one is served, and told of", async () => {
      await openssl(
        `new edge/old.test old -not_before 20200101000000Z -not_after 20200201000000Z || # OpenSSL before 3.4 cannot:
          openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=old -keyout edge/old.test.key |
          openssl x509 -req -signkey edge/old.test.key -days -1 -out edge/old.test.crt`,
      );
      await eventually(async () => assert.equal(await subject("old.test"), "old"));
      await eventually(async () =>
        assert.deepEqual((await edge.events("certificate_expired")).map(({ name }) => name), [
          "old.test",
        ])
      );
    });

    await t.step("etcd is away: certificates are still taken, and survive a restart", async () => {
      await eventually(() =>
        edge.exec("cmp /run/rollcall/nginx.conf /var/lib/rollcall/nginx.conf")
      );
      await edge.remove("etcd");
      await openssl("make www.example.org later DNS:www.example.org");
      await eventually(async () => assert.equal(await subject("www.example.org"), "later"));
      await edge.docker("restart", "edge", "-t", "10");
      await eventually(async () => {
        assert.match(
          await curl("https://www.example.org:8443/", "--http2"),
          /^https www.example.org/,
        );
      });
      assert.equal(await subject("www.example.org"), "later");
      await openssl("make www.example.org latest DNS:www.example.org");
      await eventually(async () => assert.equal(await subject("www.example.org"), "latest"));
    });

    await t.step(
      "all of them gone: what was served stays; after a restart plain HTTP serves on",
      async () => {
        await openssl("rm edge/*.crt edge/*.key");
        await eventually(async () => assert.ok((await edge.events("no_certificates")).length > 0));
        assert.equal(await subject("www.example.org"), "latest");
        await edge.docker("restart", "edge", "-t", "10");
        await eventually(async () => assert.equal((await edge.get()).status, 200));
        assert.equal(await subject("www.example.org"), "no certificate for this name");
        await openssl("make default back DNS:localhost");
        await eventually(async () => assert.equal(await subject("www.example.org"), "back"));
      },
    );

    await t.step("scripts/certs --edge makes what the edge takes, and keeps its CA", async () => {
      const env = { CERTS_DIR: folder };
      const said = await run(CERTS, ["--edge", "shop.localhost"], { env });
      assert.match(said, /curl --cacert \S+\/edge-ca\/ca.crt https:/);
      await eventually(async () => assert.notEqual(await subject("localhost"), "back"));
      const ca = await Deno.readTextFile(`${folder}/edge-ca/ca.crt`);
      await Deno.writeTextFile(`${folder}/edge/.ca`, ca);
      for (const name of ["localhost", "service.localhost", "shop.localhost"]) {
        assert.match(
          await curl(`https://${name}:8443/`, "--cacert /etc/rollcall/edge/.ca"),
          /^(https|{)/,
        );
      }
      await run(CERTS, ["--edge"], { env });
      assert.equal(await Deno.readTextFile(`${folder}/edge-ca/ca.crt`), ca);
      assert.equal((await Deno.stat(`${folder}/edge/default.key`)).mode! & 0o777, 0o600);
    });

    await t.step("HTTPS_REDIRECT sends plain HTTP to TLS", async () => {
      await edge.remove("edge");
      await edge.startEtcd();
      await edge.vouch();
      await edge.put({ "/services/service/test:a:8080": registration(address) });
      // Its first answer is a redirect to a port that leads nowhere here.
      await edge.start(
        { TLS: "on", HTTPS_REDIRECT: "on", TRUSTED_PROXIES: "127.0.0.1" },
        `${folder}/edge`,
      )
        .catch(() => "it was redirected");
      await eventually(async () => {
        const said = await curl(
          "'http://www.example.org:8080/a?b=c'",
          "-o /dev/null -w '%{http_code} %{redirect_url}'",
        );
        assert.equal(said, "308 https://www.example.org:8443/a?b=c");
      });
      const proxied = await curl(
        "http://a.test:8080/",
        "-o /dev/null -w '%{http_code}' -H 'X-Forwarded-Proto: https'",
      );
      assert.equal(proxied, "200", "a proxy has taken TLS off: not sent round in a circle");
      assert.match(await curl("https://localhost:8443/"), /^https /);
    });
  } finally {
    await openssl("rm -rf /certs/*; mkdir edge");
    await Deno.remove(folder, { recursive: true });
  }
});
