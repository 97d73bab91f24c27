// The stack with compose.secure.yaml: who is let in, who may do what, and certificates that change under load.
import assert from "node:assert/strict";
import { docker, dockerTest, eventually } from "../testing/docker.ts";
import { get } from "../testing/http.ts";
import { Certificates } from "./certificates.ts";
import { complaints, type Fault, runFault } from "./fault_run.ts";
import { secureFaults, turnover } from "./secure_faults.ts";
import { Stack } from "./stack.ts";
import { FAULT_SETTINGS, World } from "./world.ts";

const RATE = 100;

dockerTest("compose.secure.yaml lets in whom it should, and nobody notices", async (t) => {
  const certificates = new Certificates();
  const strangers = new Certificates();
  const stack = new Stack({ ...FAULT_SETTINGS, ...certificates.settings });
  const world = new World(stack);
  const { renewed, newCa, wiped } = secureFaults(certificates);
  const step = async (name: string, fn: () => Promise<void>) => {
    if (!await t.step(name, fn)) throw new Error(`Stopped after: ${name}`);
  };
  const read = (file: string) => Deno.readTextFile(`${certificates.folder}/${file}`);
  const fault = async (fault: Fault) =>
    assert.deepEqual(complaints(await runFault(world, fault, RATE)), []);
  /** None of the keys that the steps try to write is there, and those of instances are. */
  const untouched = async () => {
    const keys = [...(await stack.keys("/")).keys()];
    assert.deepEqual(keys.filter((key) => /\/x(\/y)?$/.test(key)), []);
    await world.right(20_000);
  };
  /** Runs a script with $etcdctl as that user, in a container on etcd's network. */
  const run = (user: User, script: string) => {
    const file = `/certs/${user.folder}/${user.file}`;
    const etcdctl = `etcdctl --endpoints=${user.endpoint ?? "https://etcd:2379"} ` +
      "--dial-timeout=2s --command-timeout=3s --cacert=/certs/ours/etcd/ca.crt " +
      (user.file === "" ? "" : `--cert=${file} --key=${file}`);
    return docker(
      ...["run", "--rm", "--user", "0:0", "--network", `${stack.project}_control`],
      ...["--label", "SERVICE_IGNORE=true", "--tmpfs", "/tmp"],
      ...["--volume", `${certificates.folder}:/certs/ours:ro`],
      ...["--volume", `${strangers.folder}:/certs/strangers:ro`],
      ...["--entrypoint", "sh", `${stack.project}-etcd`, "-c", `etcdctl='${etcdctl}'\n${script}`],
    );
  };
  /** Each command of etcdctl as that user: its exit code and what it said. */
  const tried = async (user: User, ...commands: readonly string[]) => {
    const script = commands.map((command) =>
      `$etcdctl ${command} >/tmp/out 2>&1; echo "$? $(tail -n 1 /tmp/out | head -c 300)"`
    ).join("\n");
    return (await run(user, script)).trim().split("\n").map((line) => ({
      code: Number(line.split(" ")[0]),
      said: line.slice(line.indexOf(" ") + 1),
    }));
  };
  const refused = async (user: User, why: RegExp, ...commands: readonly string[]) => {
    for (const [i, { code, said }] of (await tried(user, ...commands)).entries()) {
      assert.notEqual(code, 0, `${user.folder}/${user.file}: ${commands[i]} was let through`);
      assert.match(said, why, `${user.folder}/${user.file}: ${commands[i]}`);
    }
  };
  const allowed = async (user: User, ...commands: readonly string[]) => {
    for (const [i, { code, said }] of (await tried(user, ...commands)).entries()) {
      assert.equal(code, 0, `${user.folder}/${user.file}: ${commands[i]}: ${said}`);
    }
  };
  try {
    await step(
      "./scripts/certs makes keys that only their owner can read, and a CA once",
      async () => {
        await certificates.make();
        await strangers.make();
        const ca = await read("ca/ca.crt");
        const server = await read("etcd/server.pem");
        await certificates.make();
        assert.equal(await read("ca/ca.crt"), ca);
        assert.notEqual(await read("etcd/server.pem"), server);
        for await (const { name: part } of Deno.readDir(certificates.folder)) {
          for await (const { name } of Deno.readDir(`${certificates.folder}/${part}`)) {
            const { mode } = await Deno.stat(`${certificates.folder}/${part}/${name}`);
            assert.equal(mode! & 0o777, name === "ca.crt" ? 0o644 : 0o600, `${part}/${name}`);
          }
        }
      },
    );

    await step("the stack comes up and serves, with every part behind certificates", async () => {
      await stack.compose("up", "-d", "--build", "--scale", "service=3");
      await world.right(60_000);
      await world.served(30_000);
      const [spare] = await world.running();
      await world.engine("stop", spare!.id);
      await eventually(async () => {
        const { body } = await get(`http://localhost:${stack.dashboardPort}/`);
        assert.match(body, /All 2 that should be live are/);
      }, { within: 20_000 });
    });

    await step("without a certificate of this CA nobody gets an answer", async () => {
      const reading = "get --prefix /";
      const plain = { ...USERS.nobody, endpoint: "http://etcd:2379" };
      await Promise.all([
        refused(USERS.nobody, NO_ANSWER, reading),
        refused(plain, NO_ANSWER, reading),
        refused(USERS.stranger, NO_ANSWER, reading),
        refused(USERS.etcd, NO_ANSWER, reading), // a server's certificate is no client's
        refused(USERS.peer, DENIED, reading), // let in, and nobody there
      ]);
      await untouched();
    });

    await step("the edge's credential can read what nginx needs, and write nothing", async () => {
      const lease = await leaseOf(stack);
      await allowed(USERS.nginx, "get --prefix /services", "get --prefix /rollcall/hosts");
      await refused(
        ...[USERS.nginx, DENIED] as const,
        ...["put /services/service/x 1", "put /rollcall/hosts/x 1", "put /rollcall/drain/x/y 1"],
        ...["del --prefix /services", "get --prefix /rollcall/status", "get roles"],
        // By way of the registrator's lease: ending it would take everybody out of rotation.
        ...[`lease revoke ${lease}`, `lease keep-alive --once ${lease}`],
        ...[`put --lease=${lease} /services/service/x 1`],
        ...["user list", "auth disable", "role grant-permission nginx readwrite /"],
        ...["user grant-role nginx root", "member add x --peer-urls=http://x:2380"],
        ...["compaction 1", "defrag", "snapshot save /tmp/snapshot", "move-leader 1"],
      );
      await untouched();
    });

    await step("the page reads; the registrator writes below its prefixes only", async () => {
      await allowed(USERS.dashboard, "get --prefix /services/", "get --prefix /rollcall/status/");
      const lease = await leaseOf(stack);
      await refused(
        ...[USERS.dashboard, DENIED] as const,
        ...["put /services/service/x 1", "get --prefix /rollcall/drain/", `lease revoke ${lease}`],
      );
      await allowed(USERS.registrator, "put /services/x/y 1", "del /services/x/y");
      await refused(
        ...[USERS.registrator, DENIED] as const,
        ...["put /elsewhere 1", "put /rollcall/x 1", "put roles 1", "user list", "auth disable"],
      );
      await world.right(20_000);
    });

    await step("people's commands work in the registrator's container", async () => {
      const [one] = await world.running();
      const rollcall = (...args: readonly string[]) =>
        docker("exec", stack.name("registrator"), "rollcall", ...args);
      assert.match(await rollcall("ls"), new RegExp(one!.name));
      await rollcall("drain", one!.name);
      assert.equal((await stack.registrations()).size, 1);
      await rollcall("undrain", one!.name);
      await world.right(20_000);
      await world.served(20_000);
      assert.match(await rollcall("doctor"), /certificate +good until/);
    });

    await step("certificates renewed, and then of a new CA: everybody takes them up", async () => {
      const old = await read("ca/ca.crt");
      await fault({
        name: `${renewed.name}; then, ${newCa.name}`,
        act: renewed.act,
        change: async () => {
          await renewed.change(world);
          await renewed.heal(world);
          await newCa.act(world);
        },
        heal: turnover,
      });
      assert.notEqual(await read("ca/ca.crt"), old);
      await refused(USERS.nginx, DENIED, "put /services/service/x 1"); // roles are as before
      await eventually(async () => {
        const { body } = await get(`http://localhost:${stack.dashboardPort}/`);
        assert.match(body, /All 2 that should be live are/);
      }, { within: 30_000 });
    });

    await step("an etcd wiped under load is open to nobody, and is filled again", async () => {
      let stealing = Promise.resolve("");
      await fault({
        ...wiped,
        act: async () => {
          stealing = run(
            USERS.nginx,
            "end=$(($(date +%s) + 8)); while [ $(date +%s) -lt $end ]; do " +
              "$etcdctl --command-timeout=500ms put /services/thief/x 1 2>/tmp/out; done; true",
          );
          await wiped.act(world);
        },
        heal: async () => assert.equal(await stealing, ""),
      });
      await refused(USERS.nginx, DENIED, "put /services/service/x 1");
    });

    await step("no key stands in an environment or a log", async () => {
      const ids = (await docker("ps", "-aq", "--filter", `name=${stack.project}-`)).split("\n");
      const environments = await docker("inspect", ...ids.filter((id) => id !== ""));
      assert.doesNotMatch(environments, /PRIVATE KEY|--password/);
      assert.doesNotMatch(await stack.compose("logs"), /PRIVATE KEY/);
    });
  } finally {
    await stack.down();
    await certificates.remove();
    await strangers.remove();
  }
});

/** Whose certificate a command shows. */
interface User {
  readonly folder: string;
  /** Empty: none at all. */
  readonly file: string;
  readonly endpoint?: string;
}

const USERS = {
  nobody: { folder: "ours", file: "" },
  stranger: { folder: "strangers/etcd", file: "root.pem" },
  etcd: { folder: "ours/etcd", file: "server.pem" },
  peer: { folder: "ours/etcd", file: "peer.pem" },
  nginx: { folder: "ours/nginx", file: "client.pem" },
  dashboard: { folder: "ours/dashboard", file: "client.pem" },
  registrator: { folder: "ours/registrator", file: "client.pem" },
} as const satisfies Readonly<Record<string, User>>;

const DENIED = /permission denied|user name not found/;
const NO_ANSWER = /context deadline exceeded|certificate|handshake|connection/;

/** The lease of the registrator's keys, as etcdctl writes it. */
async function leaseOf(stack: Stack): Promise<string> {
  const text = await stack.etcdctl("get", "--prefix", "/rollcall/hosts/", "-w", "json");
  return BigInt(/"lease":(\d+)/.exec(text)![1]!).toString(16); // as text: a number would lose its end
}
