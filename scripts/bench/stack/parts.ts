// Memory and processor time of containers, as Docker counts them. Reads the Engine over its socket, nothing else.

import { Connection } from "../load/connection.ts";

/** What a container has used: MiB now, and seconds of one processor since its start. */
export interface Usage {
  readonly memoryMiB: number;
  readonly cpuSeconds: number;
}

/** Usage of the containers by id; undefined where the Engine has no local socket. */
export async function usageOf(
  ids: readonly string[],
): Promise<ReadonlyMap<string, Usage> | undefined> {
  const path = socketPath(Deno.env.get("DOCKER_HOST"));
  if (path === undefined) return undefined;
  try {
    const all = await Promise.all(ids.map(async (id) => [id, await usage(path, id)] as const));
    return new Map(all);
  } catch {
    return undefined;
  }
}

function socketPath(host: string | undefined): string | undefined {
  if (!host) return "/var/run/docker.sock";
  return host.startsWith("unix://") ? host.slice("unix://".length) : undefined;
}

async function usage(path: string, id: string): Promise<Usage> {
  const connection = new Connection(await Deno.connect({ transport: "unix", path }));
  const request = `GET /containers/${id}/stats?stream=false&one-shot=true HTTP/1.1\r\n` +
    "Host: docker\r\nConnection: close\r\n\r\n";
  const exchange = await connection.exchange(new TextEncoder().encode(request));
  connection.close();
  if (exchange.result !== "answer" || exchange.answer.status !== 200) {
    throw new Error(`Cannot read the usage of container ${id}: ${exchange.result}`);
  }
  return parseUsage(JSON.parse(new TextDecoder().decode(exchange.answer.body)));
}

/** The Engine's reply, as far as it matters here. */
interface Stats {
  readonly memory_stats: { readonly usage?: number; readonly stats?: Record<string, number> };
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
}

/** Memory without the file cache, as `docker stats` shows it. Times are in ns there. */
export function parseUsage({ memory_stats: memory, cpu_stats: cpu }: Stats): Usage {
  // cgroup v1 and v2 call it differently.
  const cache = memory.stats?.["total_inactive_file"] ?? memory.stats?.["inactive_file"] ?? 0;
  return {
    memoryMiB: Math.max(0, (memory.usage ?? 0) - cache) / 2 ** 20,
    cpuSeconds: cpu.cpu_usage.total_usage / 1e9,
  };
}
