// Faults inside nginx's container: its helpers, its workers, its volume. The container itself is containers.ts.
import type { Kind, Part } from "./kind.ts";
import { nothing } from "./kind.ts";
import type { Hand } from "./hand.ts";

const inside = (script: string) => (hand: Hand) => hand.sh(hand.name("nginx"), script);
/** The process that runs when the line is carried out; none does while it is being restarted. */
const send = (signal: string, helper: string) =>
  inside(`kill -${signal} $(cat /run/rollcall/${helper}.pid) || true`);

const HELPERS = ["confd", "apply", "sweep"] as const satisfies readonly Part[];

export const INSIDE_NGINX: readonly Kind[] = [
  ...HELPERS.flatMap((helper): readonly Kind[] => [
    {
      name: `${helper} SIGKILLed`,
      parts: [helper],
      lasts: [0, 0],
      blinds: true,
      heals: 30,
      act: send("KILL", helper),
      heal: nothing,
    },
    {
      name: `${helper} SIGSTOPped`,
      parts: [helper],
      lasts: [2, 12],
      blinds: true,
      heals: 30,
      act: send("STOP", helper),
      heal: send("CONT", helper), // the sweep may have killed it meanwhile
    },
  ]),
  {
    name: "a worker of nginx SIGKILLed",
    parts: ["nginx"],
    lasts: [0, 0],
    heals: 20,
    may: {
      inHand: "edge",
      because: "the connections of a worker that is killed are cut, with what is under way on them",
    },
    act: inside(
      "m=$(cat /run/rollcall/nginx.pid); read -r w _ < /proc/$m/task/$m/children; kill -KILL $w",
    ),
    heal: nothing,
  },
  {
    name: "nginx's master SIGSTOPped",
    parts: ["nginx"],
    lasts: [2, 10],
    blinds: true,
    heals: 40,
    act: send("STOP", "nginx"),
    heal: send("CONT", "nginx"),
  },
  {
    name: "nginx's volume full",
    parts: ["volume"],
    lasts: [3, 12],
    heals: 20,
    act: (hand) =>
      hand.volumes("dd if=/dev/zero of=/volumes/nginx/fill bs=1k count=16384 2>/dev/null || true"),
    heal: (hand) => hand.volumes("rm -f /volumes/nginx/fill"),
  },
];
