// What can go wrong with a cluster of three etcds, as a table: how it is brought and how it is healed. Runs nothing by itself.
import { docker, eventually } from "../testing/docker.ts";
import type { Fault } from "./fault_run.ts";
import type { Stack } from "./stack.ts";
import type { World } from "./world.ts";

/** The compose services of compose.cluster.yaml. */
export const MEMBERS = ["etcd", "etcd-2", "etcd-3"] as const;

/** What a stack with a cluster is started with. */
export const CLUSTER_SETTINGS = { COMPOSE_FILE: "compose.yaml:compose.cluster.yaml" } as const;

const nothing = () => Promise.resolve();

/** One of the rows. */
export interface ClusterFault extends Fault {
  /** Only in the measurement: too slow for every test run. */
  readonly slow?: boolean;
}

/** In this order: each leaves a cluster of three behind, and the member that was hit last in `hit`. */
export function clusterFaults(pause = 20): readonly ClusterFault[] {
  let hit: readonly string[] = [];
  const bring = (count: number, ...command: readonly string[]) => async ({ stack }: World) => {
    hit = [await leader(stack), ...MEMBERS].filter((member, i, all) => all.indexOf(member) === i)
      .slice(0, count);
    stack.etcd = MEMBERS.find((member) => !hit.includes(member))!;
    for (const member of hit) await docker(...command, stack.name(member));
  };
  const undo = (...command: readonly string[]) => async ({ stack }: World) => {
    for (const member of hit) await docker(...command, stack.name(member));
    await whole(stack);
  };
  return [
    // What is different meanwhile has to arrive while the member is still away: so nothing heals in these.
    {
      name: "the leader SIGKILLed, and it stays away",
      act: bring(1, "kill", "--signal", "KILL"),
      heal: nothing,
    },
    {
      name: "wiped, it is removed and joins anew",
      act: (world) => replaceMember(world.stack, hit[0]!),
      heal: nothing,
    },
    {
      name: "the leader stopped gracefully, and it stays away",
      act: bring(1, "stop"),
      heal: nothing,
      slow: true,
    },
    { name: "it comes back", act: undo("start"), heal: nothing, keysStay: true, slow: true },
    {
      name: `the leader SIGSTOPped for ${pause} s`,
      act: bring(1, "kill", "--signal", "STOP"),
      heal: nothing,
      lasts: pause,
      slow: true,
    },
    {
      name: "it goes on",
      act: undo("kill", "--signal", "CONT"),
      heal: nothing,
      keysStay: true,
      slow: true,
    },
    {
      name: "the leader cut off from the network",
      act: async (world) => {
        await bring(1, "inspect")(world);
        await network(world.stack, "disconnect", hit[0]!);
      },
      heal: nothing,
      slow: true,
    },
    {
      name: "it is connected again",
      act: async ({ stack }) => {
        await network(stack, "connect", "--alias", hit[0]!, hit[0]!);
        await whole(stack);
      },
      heal: nothing,
      keysStay: true,
      slow: true,
    },
    {
      name: `two of three SIGKILLed for ${pause} s`,
      act: bring(2, "kill", "--signal", "KILL"),
      lasts: pause,
      heal: undo("start"),
      blind: true,
    },
  ];
}

/** The member that leads, once there is one. */
export function leader(stack: Stack): Promise<string> {
  return eventually(async () => {
    for (const member of MEMBERS) {
      const status = ["etcdctl", "endpoint", "status", "-w", "json", "--command-timeout=1s"];
      const text = await docker("exec", stack.name(member), ...status).catch(() => "");
      // As text: these numbers are too long for JavaScript's.
      const [, id] = /"member_id":(\d+)/.exec(text) ?? [];
      if (id !== undefined && text.includes(`"leader":${id}`)) return member;
    }
    throw new Error("nobody leads");
  }, { within: 30_000, every: 200 });
}

/** Resolves when all three answer. */
export async function whole(stack: Stack): Promise<void> {
  for (const member of MEMBERS) {
    await eventually(
      () => docker("exec", stack.name(member), "etcdctl", "endpoint", "health"),
      { within: 30_000, every: 200 },
    );
  }
}

/** What docs/etcd.md says to do when a member has lost its data. */
export async function replaceMember(stack: Stack, member: string): Promise<void> {
  const list = await stack.etcdctl("member", "list");
  const [line = ""] = list.split("\n").filter((line) => line.includes(`, ${member}, `));
  const peer = /https?:\/\/[^,]*:2380/.exec(line)![0];
  await docker("rm", "--force", stack.name(member));
  const index = MEMBERS.indexOf(member as typeof MEMBERS[number]) + 1;
  await docker("volume", "rm", `${stack.project}_etcd-${index}`);
  await stack.etcdctl("member", "remove", line.split(",")[0]!);
  // Until the others are sure of each other they refuse (`unhealthy cluster`).
  await eventually(() => stack.etcdctl("member", "add", member, `--peer-urls=${peer}`), {
    within: 30_000,
    every: 500,
  });
  stack.set({ ETCD_CLUSTER_STATE: "existing" });
  await stack.compose("up", "-d", "--no-deps", "--no-build", member);
  stack.set({ ETCD_CLUSTER_STATE: "new" });
  await whole(stack);
}

/** What docs/etcd.md says to do with a backup: every member begins anew with it. */
export async function restoreAll(stack: Stack, backup: string): Promise<void> {
  await stack.compose("rm", "--stop", "--force", ...MEMBERS);
  const cluster = MEMBERS.map((member) => `${member}=http://${member}:2380`).join();
  for (const [i, member] of MEMBERS.entries()) {
    await docker("volume", "rm", `${stack.project}_etcd-${i + 1}`);
    await stack.compose(
      ...["run", "--rm", "--no-deps", "-T", "--volume", `${backup}:/backup.db:ro`, member],
      ...["etcdutl", "snapshot", "restore", "/backup.db", "--data-dir=/var/lib/etcd"],
      ...[`--name=${member}`, `--initial-advertise-peer-urls=http://${member}:2380`],
      ...[`--initial-cluster=${cluster}`, "--initial-cluster-token=rollcall"],
    );
  }
  await stack.compose("up", "-d", "--no-deps", "--no-build", ...MEMBERS);
}

function network(stack: Stack, command: string, ...args: readonly string[]): Promise<string> {
  const member = args.at(-1)!;
  return docker(
    ...["network", command, ...args.slice(0, -1)],
    ...[`${stack.project}_control`, stack.name(member)],
  );
}
