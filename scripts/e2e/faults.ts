// What can go wrong below the registrator, as a table: how it is brought and how it is healed. Runs nothing by itself.
import { docker } from "../testing/docker.ts";
import type { Fault } from "./fault_run.ts";
import { TTL, type World } from "./world.ts";

type Service = "registrator" | "etcd" | "socket-proxy";

const on = (command: readonly string[], service: Service) => ({ stack }: World) =>
  docker(...command, stack.name(service));
const kill = (service: Service) => on(["kill", "--signal", "KILL"], service);
const start = (service: Service) => on(["start"], service);
const nothing = () => Promise.resolve();
/** For a registrator that is away: keys stay only if it is back before the lease ends. */
const shortly = {
  change: (world: World) => world.replace(),
  keysStay: true,
} as const;

/** Every row of the fault table but the restart of dockerd, which needs an engine of its own. */
export const faults: readonly Fault[] = [
  {
    name: "registrator SIGKILLed, started again",
    act: kill("registrator"),
    heal: start("registrator"),
    ...shortly,
  },
  {
    name: "registrator restarted (SIGTERM)",
    act: nothing,
    heal: on(["restart"], "registrator"),
    keysStay: true,
  },
  {
    name: "registrator paused for 3 × TTL",
    blind: true,
    act: on(["pause"], "registrator"),
    lasts: 3 * TTL,
    heal: on(["unpause"], "registrator"),
  },
  {
    name: "etcd SIGKILLed, started again",
    blind: true,
    act: kill("etcd"),
    heal: start("etcd"),
    keysStay: true,
  },
  {
    name: "etcd stopped gracefully (GOAWAY), started again",
    blind: true,
    // It takes longer to end than this short a lease, answers nothing, and still ends leases: keys may go.
    act: on(["stop"], "etcd"),
    heal: start("etcd"),
  },
  {
    name: "etcd SIGSTOPped for 20 s",
    blind: true,
    act: on(["kill", "--signal", "STOP"], "etcd"),
    lasts: 20,
    heal: on(["kill", "--signal", "CONT"], "etcd"),
  },
  {
    name: "etcd gone for 3 × TTL",
    blind: true,
    act: kill("etcd"),
    lasts: 3 * TTL,
    heal: start("etcd"),
  },
  { name: "etcd wiped", blind: true, act: wipe, heal: nothing },
  {
    name: "a key deleted, one overwritten and one added by hand",
    act: meddle,
    change: nothing,
    heal: nothing,
  },
  {
    name: "etcd compacted while the registrator was away",
    act: async (world) => {
      await kill("registrator")(world);
      await compact(world);
    },
    heal: async (world) => {
      await start("registrator")(world);
      await world.stack.etcdctl("del", "/elsewhere");
    },
    ...shortly,
  },
  {
    name: "socket-proxy gone for 3 s",
    blind: true,
    act: kill("socket-proxy"),
    lasts: 3,
    heal: start("socket-proxy"),
    keysStay: true,
  },
  { name: "the event stream cut", act: cutStreams, heal: nothing, keysStay: true },
  {
    name: "network between registrator and etcd cut, for longer than TTL",
    blind: true,
    act: network("disconnect", "control"),
    lasts: TTL + 2,
    heal: network("connect", "control"),
  },
  {
    name: "network between registrator and instances cut for 15 s",
    act: network("disconnect", "edge"),
    change: nothing, // who starts meanwhile cannot be asked
    lasts: 15,
    heal: network("connect", "edge"),
    keysStay: true,
  },
];

/** An etcd with nothing in it, at the same address. */
async function wipe({ stack }: World): Promise<void> {
  await docker("rm", "--force", stack.name("etcd"));
  await docker("volume", "rm", `${stack.project}_etcd`);
  await stack.compose("up", "-d", "--no-deps", "--no-build", "etcd");
}

/** Somebody tidies up by hand. */
async function meddle({ stack }: World): Promise<void> {
  const [first, second] = [...(await stack.registrations())];
  await stack.etcdctl("del", first![0]);
  await stack.etcdctl("put", second![0], JSON.stringify({ ...second![1], address: "192.0.2.1" }));
  const ghost = { ...second![1], container: "ghost", address: "192.0.2.2" };
  await stack.etcdctl(
    "put",
    second![0].replace(second![1].container, "ghost"),
    JSON.stringify(ghost),
  );
}

/** Every revision but the newest is gone, and it is not the one that the registrator knew. Quick: the lease runs. */
async function compact({ stack }: World): Promise<void> {
  const { header } = JSON.parse(await stack.etcdctl("put", "/elsewhere", "1", "-w", "json"));
  await stack.etcdctl("compact", "--physical", String(header.revision));
}

/** Ends socket-proxy's workers, and with them every stream; the first process starts others. */
function cutStreams({ stack }: World): Promise<string> {
  const script = "for p in $(grep -l '[w]orker process' /proc/[0-9]*/cmdline); do " +
    'p=${p#/proc/}; kill -KILL "${p%/cmdline}"; done';
  return docker("exec", stack.name("socket-proxy"), "sh", "-c", script);
}

function network(command: "connect" | "disconnect", name: "control" | "edge") {
  return ({ stack }: World) =>
    docker("network", command, `${stack.project}_${name}`, stack.name("registrator"));
}
