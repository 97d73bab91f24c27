// Settings: precedence, limits, and every mistake named at once.
import assert from "node:assert/strict";
import { ConfigError, readConfig, settingsHelp, variables } from "./config.ts";

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
    docker: "http://socket-proxy:2375",
    host: "",
    network: [],
    ttl: 15,
    resync: 30,
    explicit: false,
    tags: [],
    deregister: false,
    log_level: "info",
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
  for (const docker of ["socket-proxy:2375", "unix:///var/run/docker.sock", "https://x"]) {
    assert.equal(problems(["--docker", docker]).length, 1, docker);
  }
  assert.equal(problems(["--etcd", ","]).length, 1);
  assert.equal(problems(["--explicit=maybe"]).length, 1);
});

Deno.test("settingsHelp() and variables() name every setting", () => {
  assert.equal(variables().length, 10);
  for (const variable of variables()) assert.ok(settingsHelp().includes(variable), variable);
  assert.match(settingsHelp(), /--ttl +ROLLCALL_TTL +how long .*\(default 15\)/);
});
