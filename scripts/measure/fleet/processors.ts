// Who has used how much of the machine's processors: etcd, registrators, the edge's parts, and what only simulates.
import { docker } from "../../testing/docker.ts";
import { metricsOf } from "./etcd_metrics.ts";
import type { Fleet } from "./fleet.ts";

/** Processor time in s, by part. */
export type Used = Readonly<Record<Part, number>>;
export const PARTS = ["etcd", "registrators", "confd", "nginx", "apply", "simulation"] as const;
export type Part = typeof PARTS[number];

/** Prints for each group of the edge's processes what they and those that they have waited for took, in ticks. */
const SUMS = `confd=0 nginx=0 apply=0
for stat in /proc/[0-9]*/stat; do
  { read -r line < $stat; } 2>/dev/null || continue
  name=\${line#*(} name=\${name%)*}
  read -r -a f <<< "\${line##*) }"
  used=$((f[11] + f[12] + f[13] + f[14]))
  case $name in confd) ((confd += used)) ;; nginx) ((nginx += used)) ;; *) ((apply += used)) ;; esac
done
echo "$confd $nginx $apply"`;

/** What each has used so far. */
export async function usedBy(fleet: Fleet): Promise<Used> {
  const [sums, metrics] = await Promise.all([
    docker("exec", fleet.edgeContainer, "bash", "-c", SUMS),
    metricsOf(fleet.etcdUrl),
  ]);
  const [confd, nginx, apply] = sums.trim().split(" ").map((ticks) => Number(ticks) / 100);
  return {
    etcd: metrics.get("process_cpu_seconds_total") ?? NaN,
    registrators: fleet.crews.reduce((sum, { pid }) => sum + processorOf(pid), 0),
    ...{ confd: confd!, nginx: nginx!, apply: apply! },
    simulation: processorOf("self"),
  };
}

/** Shares of one processor over `seconds`, in percent. */
export function shares(before: Used, after: Used, seconds: number): Used {
  return Object.fromEntries(
    PARTS.map((part) => [part, 100 * (after[part] - before[part]) / seconds]),
  ) as Used;
}

/** A process's time so far, in s. */
function processorOf(pid: number | "self"): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
