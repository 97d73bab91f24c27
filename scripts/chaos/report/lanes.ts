// How the parts of the stack are told apart in the report: one line of the picture, one row of the table each.
import { KINDS } from "../faults/kinds.ts";
import type { Part } from "../faults/kind.ts";

/** From top to bottom. */
export const LANES = [
  ...["nginx", "confd, apply, sweep", "nginx's volume", "etcd", "registrator", "socket-proxy"],
  ...["dashboard", "instances", "strangers"],
] as const;
export type Lane = (typeof LANES)[number];

const LANE_OF: Readonly<Record<Part, Lane>> = {
  nginx: "nginx",
  confd: "confd, apply, sweep",
  apply: "confd, apply, sweep",
  sweep: "confd, apply, sweep",
  volume: "nginx's volume",
  etcd: "etcd",
  keys: "etcd",
  registrator: "registrator",
  "socket-proxy": "socket-proxy",
  dashboard: "dashboard",
  instances: "instances",
  strangers: "strangers",
};

/** Where a kind of fault belongs; undefined: there is none of that name. */
export function laneOf(fault: string): Lane | undefined {
  const part = KINDS.find(({ name }) => name === fault)?.parts[0];
  return part && LANE_OF[part];
}
