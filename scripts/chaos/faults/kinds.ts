// All kinds of faults there are. Owns their list, and nothing of what they do.
import { CONTAINERS, SLOW_DISK } from "./containers.ts";
import { ETCD_DATA } from "./etcd_data.ts";
import { INSIDE_NGINX } from "./inside_nginx.ts";
import { INSTANCES } from "./instances.ts";
import type { Kind } from "./kind.ts";

export const KINDS: readonly Kind[] = [
  ...CONTAINERS,
  SLOW_DISK,
  ...INSIDE_NGINX,
  ...ETCD_DATA,
  ...INSTANCES,
];

/** The kind of that name. Throws when there is none: a schedule of another version of this program. */
export function kindNamed(name: string): Kind {
  const kind = KINDS.find((kind) => kind.name === name);
  if (!kind) throw new Error(`Cannot find a fault called ${JSON.stringify(name)}: see --list`);
  return kind;
}
