// Settings: precedence, limits, and every mistake named at once.
import assert from "node:assert/strict";
import { ConfigError, readConfig } from "./config.ts";

function problems(args: string[], env: Record<string, string> = {}): string[] {
  try {
    readConfig(args, env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split("\n").slice(1).map((line) => line.trim());
  }
}

Deno.test("readConfig() has a default for everything", () => {
  assert.deepEqual(readConfig([], {}), {
    etcd: ["http://etcd:2379"],
    etcd_ca: "",
    etcd_cert: "",
    etcd_key: "",
    docker: "http://socket-proxy:2375",
    host: "",
    network: [],
    internal: true,
    ip: "",
    use_ip_from_label: "",
    explicit: false,
    tags: [],
    ttl: 15,
    ttl_refresh: 0,
    resync: 30,
    deregister: false,
    cleanup: true,
    retry_attempts: -1,
    retry_interval: 2000,
    log_level: "info",
    metrics: undefined,
  });
});

Deno.test("readConfig() lets flags beat the environment, and takes an empty variable for none", () => {
  const env = { ROLLCALL_TTL: "20", ROLLCALL_HOST: "env", ROLLCALL_RESYNC: "", PATH: "/bin" };
  const { ttl, host, resync } = readConfig(["--host", "flag"], env);
  assert.deepEqual({ ttl, host, resync }, { ttl: 20, host: "flag", resync: 30 });
});

Deno.test("readConfig() reads lists, switches, and registrator's flags with one dash", () => {
  const args = [
    "-ttl=60",
    "-tags",
    "a, b,",
    "--explicit",
    "--deregister=false",
    "--log-level",
    "debug",
  ];
  const { ttl, tags, explicit, deregister, log_level } = readConfig(args, {});
  assert.deepEqual({ ttl, tags, explicit, deregister, log_level }, {
    ttl: 60,
    tags: ["a", "b"],
    explicit: true,
    deregister: false,
    log_level: "debug",
  });
  const { etcd, docker, network } = readConfig([], {
    ROLLCALL_ETCD: "http://a:2379, https://b:2379",
    ROLLCALL_DOCKER: "http://proxy:2375/",
    ROLLCALL_NETWORK: "edge,other",
  });
  assert.deepEqual({ etcd, docker, network }, {
    etcd: ["http://a:2379", "https://b:2379"],
    docker: "http://proxy:2375",
    network: ["edge", "other"],
  });
});

Deno.test("readConfig() names every wrong setting in one error", () => {
  const found = problems(["--ttl", "2", "--sclae", "extra"], {
    ROLLCALL_RESYNC: "soon",
    ROLLCALL_ETCD: "etcd:2379",
    ROLLCALL_HOST: "a b",
    ROLLCALL_LOG_LEVEL: "loud",
    ROLLCALL_TLL: "5",
  });
  const expected = [
    /^flag --sclae: there is no such flag$/,
    /^argument 'extra': not expected$/,
    /^variable ROLLCALL_ETCD: 'etcd:2379': /,
    /^variable ROLLCALL_HOST: 'a b': a host name$/,
    /^flag --ttl: '2': .*>=3/,
    /^variable ROLLCALL_RESYNC: 'soon': a whole number of seconds$/,
    /^variable ROLLCALL_LOG_LEVEL: 'loud': .*"debug"/,
    /^variable ROLLCALL_TLL: there is no such setting$/,
  ];
  for (const message of expected) {
    assert.ok(found.some((line) => message.test(line)), `${message} in\n${found.join("\n")}`);
  }
  assert.equal(found.length, expected.length);
});

Deno.test("readConfig() refuses a flag without its value, also when another flag follows", () => {
  assert.deepEqual(problems(["--host"]), ["flag --host: its value is missing"]);
  const [missing, ...rest] = problems(["--host", "--ttl", "5"]);
  assert.equal(missing, "flag --host: its value is missing");
  assert.ok(rest.length > 0);
});

Deno.test("readConfig() refuses flags that are called like what every object has", () => {
  for (const flag of ["--constructor", "--__proto__", "--toString"]) {
    assert.deepEqual(problems([flag]), [`flag ${flag}: there is no such flag`]);
  }
});

Deno.test("readConfig() keeps its limits", () => {
  for (const ttl of ["2", "3601", "1.5", "-5", "5s", ""]) {
    assert.equal(problems([`--ttl=${ttl}`]).length, 1, ttl);
  }
  for (
    const docker of [
      "socket-proxy:2375",
      "unix:///var/run/docker.sock",
      "unix:///run/rollcall/../docker.sock",
      "https://x",
    ]
  ) {
    assert.equal(problems(["--docker", docker]).length, 1, docker);
  }
  assert.deepEqual(problems(["--docker", "unix:///run/rollcall/socket/docker.sock"]), []);
  assert.equal(problems(["--etcd", ","]).length, 1);
  assert.equal(problems(["--explicit=maybe"]).length, 1);
});

Deno.test("readConfig() takes a whole command line of registrator's, and its variables", () => {
  const registrators =
    "-internal=false -ip 192.0.2.7 -ttl 30 -ttl-refresh 10 -resync=60 -deregister always -cleanup " +
    "-explicit -tags a,b\\,c -useIpFromLabel net.ip -retry-attempts -1 -retry-interval=500";
  const expected = {
    internal: false,
    ip: "192.0.2.7",
    ttl: 30,
    ttl_refresh: 10,
    resync: 60,
    deregister: false,
    cleanup: true,
    explicit: true,
    tags: ["a", "b,c"],
    use_ip_from_label: "net.ip",
    retry_attempts: -1,
    retry_interval: 500,
  };
  const picked = (config: Record<string, unknown>) =>
    Object.fromEntries(Object.keys(expected).map((name) => [name, config[name]]));
  assert.deepEqual(picked(readConfig(registrators.split(" "), {})), expected);
  const variables = {
    ROLLCALL_INTERNAL: "false",
    ROLLCALL_IP: "192.0.2.7",
    ROLLCALL_TTL: "30",
    ROLLCALL_TTL_REFRESH: "10",
    ROLLCALL_RESYNC: "60",
    ROLLCALL_DEREGISTER: "always",
    ROLLCALL_CLEANUP: "true",
    ROLLCALL_EXPLICIT: "true",
    ROLLCALL_TAGS: "a,b\\,c",
    ROLLCALL_USE_IP_FROM_LABEL: "net.ip",
    ROLLCALL_RETRY_ATTEMPTS: "-1",
    ROLLCALL_RETRY_INTERVAL: "500",
  };
  assert.deepEqual(picked(readConfig([], variables)), expected);
  assert.equal(readConfig(["-internal"], {}).internal, true);
});

Deno.test("readConfig() takes --deregister alone, with registrator's word and with ours", () => {
  const of = (...args: string[]) => readConfig(args, {}).deregister;
  assert.equal(of("--deregister"), true);
  assert.equal(of("-deregister", "--ttl", "20"), true);
  assert.equal(of("--deregister=true"), true);
  assert.equal(of("-deregister", "true"), true);
  assert.equal(of("--deregister=false"), false);
  assert.equal(of("-deregister", "always"), false);
  assert.equal(of("-deregister=always"), false);
});

Deno.test("readConfig() says why what registrator allowed is not to be had", () => {
  const refused: Array<[string[], RegExp]> = [
    [["-deregister", "on-success"], /what has crashed must not get traffic/],
    [["-deregister=never"], /always, true or false/],
    [["-cleanup=false"], /cannot be switched off/],
    [["-ttl", "0"], /keys without an end/],
    [["-resync", "0"], /lost events would never heal/],
    [["-ttl", "10", "-ttl-refresh", "10"], /not shorter than ttl, which is 10/],
    [["-tags", "{{.Name}}"], /Go templates are not run here/],
    [["-ip", "127.0.0.1"], /an address of this host that nginx can reach/],
    [["-ip", "host.example.org"], /an address of this host/],
    [["-retry-attempts", "-2"], />=-1/],
    [["-retry-interval", "0"], />=10/],
    [["consul://localhost:8500"], /In place of registrator's registry URI say --etcd=http/],
  ];
  for (const [args, message] of refused) {
    const found = problems(args);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, message);
  }
});

Deno.test("readConfig() says what certificates for etcd lack", () => {
  const ca = "--etcd-ca=/tls/ca.crt";
  const cert = "--etcd-cert=/tls/client.pem";
  assert.deepEqual(problems([ca, cert, "--etcd=https://etcd:2379,https://etcd-2:2379"]), []);
  assert.match(problems([ca, cert]).join(), /has to begin with https/);
  assert.match(problems([cert, "--etcd=https://etcd:2379"]).join(), /only one of them is set/);
  assert.match(problems(["--etcd-key=/tls/key"]).join(), /of no use without etcd-cert/);
  for (const address of ["10.0.0.1", "[2001:db8::1]"]) {
    assert.match(problems([`--etcd=https://${address}:2379`]).join(), /needs a name/);
  }
});
