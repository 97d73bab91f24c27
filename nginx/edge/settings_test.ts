// What settings.sh lets through, and what it says about the rest.
import assert from "node:assert/strict";

const SCRIPT = new URL("settings.sh", import.meta.url).pathname;

/** Runs read_settings with `env` alone, then `script`. */
async function settings(env: Readonly<Record<string, string>>, script = ":") {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", `source "${SCRIPT}"; read_settings || exit; ${script}`],
    env: { PATH: Deno.env.get("PATH") ?? "", ...env },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout).trim(), error: text(stderr) };
}

Deno.test("read_settings exports a default for everything that is unset or empty", async () => {
  const { code, out } = await settings(
    { RELOAD_MIN_INTERVAL: "" },
    "printenv RELOAD_MIN_INTERVAL ETCD_ENDPOINTS DEFAULT_SERVICE TRUSTED_PROXIES ACCESS_LOG",
  );
  assert.equal(code, 0);
  assert.equal(out, "100ms\nhttp://etcd:2379\nservice\n\non");
});

Deno.test("read_settings takes good values", async () => {
  const good = {
    ETCD_ENDPOINTS: "http://etcd-1:2379, https://10.0.0.1:2379 http://[2001:db8::1]:2379",
    DEFAULT_SERVICE: "Shop_1.b-2",
    RELOAD_MIN_INTERVAL: "50ms",
    WORKER_PROCESSES: "4",
    CLIENT_MAX_BODY_SIZE: "0",
    TRUSTED_PROXIES: "10.0.0.0/8 192.168.1.1,2001:db8::/32",
    ACCESS_LOG: "off",
  };
  const { code, out, error } = await settings(good, "printenv ETCD_ENDPOINTS TRUSTED_PROXIES");
  assert.equal(code, 0, error);
  assert.equal(
    out,
    "http://etcd-1:2379,https://10.0.0.1:2379,http://[2001:db8::1]:2379\n" +
      "10.0.0.0/8,192.168.1.1,2001:db8::/32",
  );
});

Deno.test("read_settings lists every wrong setting in one message and returns 2", async () => {
  const { code, error } = await settings({ ACCESS_LOG: "yes", RELOAD_MIN_INTERVAL: "5" });
  assert.equal(code, 2);
  assert.equal(
    error,
    "Cannot start the edge: 2 wrong settings\n" +
      '  RELOAD_MIN_INTERVAL must be a duration such as 100ms, 5s or 1m, not "5"\n' +
      '  ACCESS_LOG must be on or off, not "yes"\n',
  );
});

Deno.test("read_settings takes certificates for etcd, and says what they lack", async () => {
  const good = {
    ETCD_ENDPOINTS: "https://etcd:2379",
    ETCD_CA: "/etc/rollcall/tls/ca.crt",
    ETCD_CERT: "/etc/rollcall/tls/client.pem",
  };
  const script = 'confd_backend; printf "%s\\n" "${backend[@]}"';
  assert.equal(
    (await settings(good, script)).out,
    "etcd\n--node=https://etcd:2379\n--client-ca-keys=/etc/rollcall/tls/ca.crt\n" +
      "--client-cert=/etc/rollcall/tls/client.pem\n--client-key=/etc/rollcall/tls/client.pem",
  );
  assert.equal((await settings({}, script)).out, "etcd\n--node=http://etcd:2379");
  const { ETCD_CA: _, ...lacking } = good;
  assert.match((await settings(lacking)).error, /ETCD_CA and ETCD_CERT need each other/);
  const plain = { ...good, ETCD_ENDPOINTS: "https://a:2379,http://b:2379" };
  assert.match((await settings(plain)).error, /ETCD_ENDPOINTS must begin with https/);
});

Deno.test("read_settings lets nothing through that could be more than a value", async (t) => {
  const attacks: readonly [string, string][] = [
    ["ETCD_ENDPOINTS", "etcd:2379"],
    ["ETCD_ENDPOINTS", "http://etcd:2379/ --watch"],
    ["ETCD_ENDPOINTS", "http://$(id):2379"],
    ["ETCD_CERT", "/a --onetime"],
    ["ETCD_CA", "../ca.crt"],
    ["DEFAULT_SERVICE", "a; } }"],
    ["DEFAULT_SERVICE", "a".repeat(64)],
    ["DEFAULT_SERVICE", "-a"],
    ["RELOAD_MIN_INTERVAL", "0ms"],
    ["RELOAD_MIN_INTERVAL", "-1s"],
    ["RELOAD_MIN_INTERVAL", "1s\n2s"],
    ["CLIENT_MAX_BODY_SIZE", "1m; include /etc/passwd"],
    ["CLIENT_MAX_BODY_SIZE", "1t"],
    ["WORKER_PROCESSES", "0"],
    ["TRUSTED_PROXIES", "10.0.0.0/33"],
    ["TRUSTED_PROXIES", "10.0.0.256"],
    ["TRUSTED_PROXIES", "example.org"],
    ["TRUSTED_PROXIES", "all;"],
    ["PROXY_READ_TIMEOUT", "60"],
    ["CLIENT_HEADER_TIMEOUT", "15"],
    ["CLIENT_BODY_TIMEOUT", "30s; root /"],
    ["CLIENT_SEND_TIMEOUT", "1h"],
    ["CLIENT_KEEPALIVE_TIMEOUT", "75s 60s"],
    ["TLS", "on; ssl off"],
    ["HTTPS_PORT", "443/x"],
    ["HTTPS_REDIRECT", "308"],
    ["HTTPS_REDIRECT", "on"], // without TLS
    ["HSTS_MAX_AGE", "1; includeSubDomains"],
    ["ACCESS_LOG", "on\n}"],
  ];
  for (const [name, value] of attacks) {
    await t.step(`${name}=${JSON.stringify(value)}`, async () => {
      const { code, error } = await settings({ [name]: value });
      assert.equal(code, 2);
      assert.match(
        error,
        new RegExp(`^Cannot start the edge: \\d wrong settings?\n  ${name} (must be|needs) `),
      );
    });
  }
});

Deno.test("milliseconds() reads every unit", async () => {
  const script = 'for d in 50ms 5s 2m 010s; do milliseconds "$d"; echo "$ms"; done';
  assert.equal((await settings({}, script)).out, "50\n5000\n120000\n10000");
});
