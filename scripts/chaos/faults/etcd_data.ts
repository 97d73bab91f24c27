// Faults of what stands in etcd: wiped, filled up, restored, meddled with. etcd's container is containers.ts.
import { docker } from "../../testing/docker.ts";
import type { Hand } from "./hand.ts";
import { hostileKeys, junkKeys } from "./hostile.ts";
import { TTL } from "../ground.ts";
import { type Kind, nothing } from "./kind.ts";

const common = { parts: ["etcd", "keys"], blinds: true, heals: 40 } as const;

export const ETCD_DATA: readonly Kind[] = [
  {
    ...common,
    name: "etcd wiped",
    lasts: [0, 5],
    act: async (hand) => {
      await docker("kill", "--signal", "KILL", hand.name("etcd"));
      await hand.volumes("rm -rf /volumes/etcd/*");
    },
    heal: (hand) => docker("start", hand.name("etcd")),
  },
  {
    ...common,
    name: "etcd restored from an older snapshot",
    lasts: [2, 10],
    drops:
      "who came after the snapshot is not in it, and it vouches, until the registrator has written",
    act: (hand) =>
      docker(
        ...["exec", hand.name("etcd"), "etcdctl", "snapshot", "save", "/var/lib/etcd/old.db"],
      ),
    heal: restore,
  },
  {
    ...common,
    name: "etcd full (its quota, NOSPACE)",
    lasts: [3, 10],
    act: async (hand) => {
      const etcd = await hand.etcd();
      const megabyte = "x".repeat(1_000_000);
      for (let i = 0; i < 40; i++) {
        try {
          await etcd.put(`/chaos/fill/${i}`, megabyte);
        } catch (error) {
          if (/space exceeded/.test((error as Error).message)) return;
          throw error;
        }
      }
      throw new Error("etcd takes whatever comes: it has no quota");
    },
    heal: async (hand) => {
      const etcd = await hand.etcd();
      await etcd.delete("/chaos/fill/");
      await etcd.tidy();
    },
  },
  {
    ...common,
    name: "etcd's volume full",
    lasts: [3, 10],
    act: (hand) =>
      hand.volumes("dd if=/dev/zero of=/volumes/etcd/fill bs=1M count=512 2>/dev/null || true"),
    heal: async (hand) => {
      await hand.volumes("rm -f /volumes/etcd/fill");
      // It may have given up, and Docker waits longer each time before it tries again.
      await docker("restart", "--time", "2", hand.name("etcd"));
    },
  },
  {
    ...common,
    name: "etcd compacted and defragmented",
    lasts: [0, 0],
    act: async (hand) => (await hand.etcd()).tidy(),
    heal: nothing,
  },
  {
    ...common,
    name: "a key deleted, one overwritten and one added by hand",
    lasts: [0, 0],
    drops: "somebody has deleted their keys",
    // Two instances have no key of theirs until the registrator has seen it: so there are more.
    harms: 2,
    act: meddle,
    heal: nothing,
  },
  {
    ...common,
    name: "all keys of the service deleted by hand",
    // Nothing beside it that delays the registrator or the edge: it is their promise that bounds what this costs.
    parts: ["etcd", "keys", "registrator", "nginx", "confd", "apply", "sweep"],
    lasts: [0, 0],
    drops: "somebody has deleted their keys",
    may: {
      outage: { after: TTL / 3 + 1 },
      because: "a host vouches, so it is believed, until the registrator has looked: within ttl/3",
    },
    act: async (hand) => (await hand.etcd()).delete("/services/service/"),
    heal: nothing,
  },
  {
    ...common,
    name: "1,000 keys of somebody else",
    lasts: [3, 10],
    act: async (hand) => (await hand.etcd()).putAll(junkKeys(1_000, await hand.gateway())),
    heal: async (hand) => (await hand.etcd()).delete("/services/junk-"),
  },
  {
    ...common,
    name: "hostile keys",
    blinds: false,
    lasts: [2, 12],
    act: async (hand) => (await hand.etcd()).putAll(hostileKeys(await hand.gateway())),
    heal: async (hand) => {
      const etcd = await hand.etcd();
      for (const key of hostileKeys("").keys()) await etcd.delete(key);
    },
  },
];

/** Stops etcd, and lets it begin with what was saved. */
async function restore(hand: Hand): Promise<void> {
  const { project } = hand;
  await docker("kill", "--signal", "KILL", hand.name("etcd"));
  await docker(
    ...["run", "--rm", "--network", "none", "--volume", `${project}_etcd:/var/lib/etcd`],
    ...[`${project}-etcd`, "etcdutl", "snapshot", "restore", "/var/lib/etcd/old.db"],
    ...["--name", "etcd", "--data-dir", "/var/lib/etcd/restored"],
    ...["--initial-cluster", "etcd=http://127.0.0.1:2380"],
    ...["--initial-advertise-peer-urls", "http://127.0.0.1:2380"],
  );
  await hand.volumes(
    "cd /volumes/etcd && rm -rf member old.db && mv restored/member member && rm -rf restored",
  );
  await docker("start", hand.name("etcd"));
}

/** Somebody tidies up by hand. */
async function meddle(hand: Hand, who: number): Promise<void> {
  const etcd = await hand.etcd();
  const keys = (await etcd.get("/services/service/")).map(({ key, value }) => ({ key, value }));
  const at = (i: number) => keys[(who + i) % keys.length];
  const [first, second] = [at(0), at(1)];
  if (!first || !second || keys.length < 2) throw new Error("there are no two keys to meddle with");
  const value = JSON.parse(second.value);
  const address = await hand.gateway();
  await etcd.delete(first.key);
  // On port 1 nobody listens: on that of the instances something of this machine's may.
  const nowhere = { address, port: 1 };
  await etcd.put(second.key, JSON.stringify({ ...value, ...nowhere }));
  const ghost = { ...value, container: "ghost", ...nowhere };
  await etcd.put(second.key.replace(value.container, "ghost"), JSON.stringify(ghost));
}
