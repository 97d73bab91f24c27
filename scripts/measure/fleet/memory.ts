// How much memory etcd's container takes, from the kernel. Owns no container.
import { docker } from "../../testing/docker.ts";

/** In MB. */
export interface Memory {
  readonly now: number;
  /** Since it was started. */
  readonly most: number;
  /** Without files, of which the database is one. */
  readonly own: number;
}

/** Of the first process of a container. */
export async function memoryOf(container: string): Promise<Memory> {
  const pid = (await docker("inspect", "-f", "{{.State.Pid}}", container)).trim();
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const mb = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) * 1024 / 1e6;
  return { now: mb("VmRSS"), most: mb("VmHWM"), own: mb("RssAnon") };
}
