// Three etcds: one dies, one is wiped and joins anew, two die, all are restored from an older backup; each under load.
// The whole table is scripts/measure/etcd_faults.ts.
import assert from "node:assert/strict";
import { docker, dockerTest, eventually } from "../testing/docker.ts";
import { Certificates } from "./certificates.ts";
import { CLUSTER_SETTINGS, clusterFaults, MEMBERS, restoreAll, whole } from "./cluster_faults.ts";
import { complaints, type Fault, runFault } from "./fault_run.ts";
import { Stack } from "./stack.ts";
import { FAULT_SETTINGS, TTL, World } from "./world.ts";

const RATE = 100;
/** How long two are away, in s: longer than TTL, so that it shows whether anything ends that should not. */
const AWAY = TTL + 1;

dockerTest("with compose.cluster.yaml etcd may lose members, and nobody notices", async (t) => {
  const stack = new Stack({ ...FAULT_SETTINGS, ...CLUSTER_SETTINGS, DRAIN_SECONDS: "3" });
  const world = new World(stack);
  const backup = await Deno.makeTempFile({ suffix: ".db" });
  const step = async (name: string, fn: () => Promise<void>) => {
    if (!await t.step(name, fn)) throw new Error(`Stopped after: ${name}`);
  };
  const bring = async (fault: Fault) =>
    assert.deepEqual(complaints(await runFault(world, fault, RATE)), []);
  try {
    await step("three members come up, and the stack serves", async () => {
      await stack.compose("up", "-d", "--build", "--scale", "service=4");
      await whole(stack);
      await world.right(60_000);
      const [spare] = await world.running();
      await world.engine("stop", spare!.id);
      await world.right(30_000);
    });

    const [killed, wiped, ...others] = clusterFaults(AWAY).filter(({ slow }) => !slow);
    await step(`${killed!.name}; then, ${wiped!.name}`, () => (
      bring({ ...killed!, heal: wiped!.act })
    ));
    for (const fault of others) await step(fault.name, () => bring(fault));

    await step(
      "without a majority nginx says that it serves what it has, and when it is over",
      async () => {
        // Of what the step before has left in the log; events of one edge come in order.
        await eventually(async () => {
          const events = [
            ...(await stack.compose("logs", "nginx")).matchAll(/"event":"(etcd_\w+)"/g),
          ]
            .map(([, event]) => event);
          assert.ok(events.includes("etcd_unreachable"), `${events}`);
          assert.equal(events.at(-1), "etcd_reachable");
        }, { within: 30_000, every: 500 });
      },
    );

    await step(
      "an older backup: what is out of date goes, and drains by hand are back",
      async () => {
        const ghost = { ...[...(await stack.registrations()).values()][0]!, host: "ghost" };
        const value = JSON.stringify({ ...ghost, container: "ghost-1", address: "192.0.2.9" });
        const grant = await stack.etcdctl("lease", "grant", String(TTL));
        const lease = /lease ([0-9a-f]+) granted/.exec(grant)![1]!;
        await stack.etcdctl(
          "put",
          `--lease=${lease}`,
          "/services/service/ghost:ghost-1:8080",
          value,
        );
        await stack.etcdctl("put", `--lease=${lease}`, "/rollcall/hosts/ghost", "{}");
        await stack.etcdctl("put", "/rollcall/drain/elsewhere/web-1", "{}");
        await stack.etcdctl("snapshot", "save", "/var/lib/etcd/backup.db");
        await docker("cp", `${stack.name(stack.etcd)}:/var/lib/etcd/backup.db`, backup);
        await Deno.chmod(backup, 0o644);
        await stack.etcdctl("del", "/rollcall/drain/elsewhere/web-1");
        await world.rotate();
        await world.right(30_000); // the ghost's lease has ended by itself
        await bring({
          name: "restored",
          act: () => restoreAll(stack, backup),
          heal: () => whole(stack),
          blind: true,
        });
        assert.equal((await stack.keys("/rollcall/drain/elsewhere/")).size, 1);
        assert.equal((await stack.keys("/rollcall/hosts/ghost")).size, 0);
        for (const member of MEMBERS) {
          stack.etcd = member;
          await world.right(20_000);
        }
      },
    );
  } finally {
    await stack.down();
    await Deno.remove(backup);
  }
});

dockerTest(
  "a cluster with certificates: peers among themselves, and a member may die",
  async () => {
    const certificates = new Certificates();
    const files = ["compose", "compose.secure", "compose.cluster", "compose.secure-cluster"];
    const stack = new Stack({
      ...{ ...FAULT_SETTINGS, DRAIN_SECONDS: "3", ...certificates.settings },
      COMPOSE_FILE: files.map((file) => `${file}.yaml`).join(":"),
    });
    const world = new World(stack);
    /** What the peers' port says to who has that certificate: curl's exit code. */
    const peerPort = (part: string, file: string) => {
      const tls = `--cacert /certs/${part}/ca.crt --cert /certs/${part}/${file}`;
      return docker(
        ...["run", "--rm", "--user", "0:0", "--network", `${stack.project}_control`],
        ...["--network-alias", "etcd-3", "--volume", `${certificates.folder}:/certs:ro`],
        ...["--label", "SERVICE_IGNORE=true", "--entrypoint", "sh", `${stack.project}-nginx`, "-c"],
        `curl -s --http1.1 -o /dev/null --max-time 5 ${tls} https://etcd-2:2380/members; echo $?`,
      );
    };
    try {
      await certificates.make();
      await stack.compose("up", "-d", "--build", "--scale", "service=3");
      await whole(stack);
      await world.right(60_000);
      const [spare] = await world.running();
      await world.engine("stop", spare!.id);
      // Whoever is let in to the peers' port could write anything. (It comes from an address of a member, as peers must.)
      assert.equal((await peerPort("etcd", "peer.pem")).trim(), "0");
      assert.notEqual((await peerPort("nginx", "client.pem")).trim(), "0");
      assert.notEqual((await peerPort("registrator", "client.pem")).trim(), "0");
      const [killed] = clusterFaults();
      await killed!.act(world);
      await world.rotate();
      await world.right(30_000);
      await world.served(30_000);
    } finally {
      await stack.down();
      await certificates.remove();
    }
  },
);
