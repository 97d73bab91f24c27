// Faults of whole containers: killed, held, restarted, cut off, starved. Owns what each of Rollcall's own may cost.
import { delay } from "../../../discovery/delay.ts";
import { docker } from "../../testing/docker.ts";
import type { Hand, Service } from "./hand.ts";
import { type Kind, nothing } from "./kind.ts";

/** What holds for every fault of a container. */
interface About {
  readonly service: Service;
  readonly networks: readonly string[];
  /** The process that does the work, where the first one only looks after it. */
  readonly process?: string;
  readonly common: Pick<Kind, "parts" | "blinds" | "heals" | "may">;
}

const AWAY = "nobody listens while nginx is away";

const ABOUT: readonly About[] = [
  {
    service: "nginx",
    networks: ["edge", "control"],
    process: "nginx",
    common: {
      parts: ["nginx", "confd", "apply", "sweep"],
      ...{ blinds: true, heals: 40, may: { outage: { after: 5 }, because: AWAY } },
    },
  },
  {
    service: "etcd",
    networks: ["control"],
    common: { parts: ["etcd", "keys"], blinds: true, heals: 30 },
  },
  {
    service: "registrator",
    networks: ["control", "socket", "edge"],
    process: "deno",
    common: { parts: ["registrator"], blinds: true, heals: 40 },
  },
  {
    service: "socket-proxy",
    networks: ["socket"],
    common: { parts: ["socket-proxy"], blinds: true, heals: 45 },
  },
  {
    service: "dashboard",
    networks: ["control"],
    common: { parts: ["dashboard"], heals: 30 },
  },
];

/** Every fault of Rollcall's own containers. */
export const CONTAINERS: readonly Kind[] = ABOUT.flatMap(faultsOf);

function faultsOf({ service, networks, process, common }: About): readonly Kind[] {
  const on = (...command: readonly string[]) => (hand: Hand) =>
    docker(...command, hand.name(service));
  const held = (signal: string) => (hand: Hand) =>
    process === undefined
      ? hand.signalFirst(hand.name(service), signal)
      : hand.signal(hand.name(service), process, signal);
  return [
    {
      ...common,
      name: `${service} SIGKILLed, started again`,
      lasts: [0, 8],
      act: on("kill", "--signal", "KILL"),
      heal: on("start"),
    },
    {
      ...common,
      name: `${service} restarted`,
      lasts: [0, 0],
      act: on("restart", "--time", "10"),
      heal: nothing,
    },
    {
      ...common,
      name: `${service} stopped, started again`,
      lasts: [0, 6],
      act: on("stop", "--time", "10"),
      heal: on("start"),
    },
    {
      ...common,
      name: `${service} paused`,
      lasts: [2, 12],
      act: on("pause"),
      heal: on("unpause"),
    },
    {
      ...common,
      name: `${service} SIGSTOPped`,
      lasts: [2, 12],
      act: held("STOP"),
      heal: held("CONT"),
    },
    {
      ...common,
      name: `${service} starved of processor time`,
      lasts: [5, 12],
      act: on("update", "--cpu-period", "100000", "--cpu-quota", "5000"),
      heal: on("update", "--cpu-period", "100000", "--cpu-quota", "-1"),
    },
    // Where a small first process looks after it, the end of the other ends the container: the restart policy acts.
    ...(process === undefined ? [] : [{
      ...common,
      name: `${service}'s process SIGKILLed, brought back by Docker`,
      lasts: [0, 0] as const,
      act: (hand: Hand) => crash(hand, service, process),
      heal: (hand: Hand) => hand.untilRunning(hand.name(service)),
    }]),
    ...networks.map((network): Kind => ({
      ...common,
      // nginx serves on without etcd.
      ...(service === "nginx" && network === "control" && { may: { because: "" } }),
      name: `${service} cut from the network ${network}`,
      lasts: [2, 12],
      act: (hand) => cut(hand, network, hand.name(service)),
      heal: (hand) => connect(hand, network, hand.name(service), service),
    })),
  ];
}

async function crash(hand: Hand, service: Service, process: string): Promise<void> {
  if (service === "nginx") {
    await hand.sh(hand.name(service), "kill -KILL $(cat /run/rollcall/nginx.pid)").catch(nothing);
  } else {
    await hand.signal(hand.name(service), process, "KILL").catch(nothing); // killed with it
  }
}

/** Takes a container off a network of the stack. */
export function cut(hand: Hand, network: string, container: string): Promise<string> {
  return docker("network", "disconnect", `${hand.project}_${network}`, container);
}

/** Puts it back, under the name that Compose has given it. */
export function connect(
  hand: Hand,
  network: string,
  container: string,
  alias: string,
): Promise<string> {
  const to = [`${hand.project}_${network}`, container];
  return docker("network", "connect", "--alias", alias, ...to);
}

/** In place of a slow disk: etcd stands still for most of the time, as it does while it waits for its disk. */
export const SLOW_DISK: Kind = {
  name: "etcd slow, as on a slow disk (SIGSTOP pulses)",
  parts: ["etcd", "keys"],
  lasts: [0, 0],
  blinds: true,
  heals: 30,
  act: async (hand) => {
    for (let i = 0; i < 12; i++) {
      await hand.signalFirst(hand.name("etcd"), "STOP");
      await delay(hand.random.between(100, 900));
      await hand.signalFirst(hand.name("etcd"), "CONT");
      await delay(hand.random.between(20, 200));
    }
  },
  heal: (hand) => hand.signalFirst(hand.name("etcd"), "CONT"),
};
