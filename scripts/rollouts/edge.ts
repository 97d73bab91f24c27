// What nginx does at this moment: whom its configuration has, and which of its workers are of an older one. Owns no wait.
import { DockerError } from "./docker_cli.ts";

/** nginx at one moment. */
export interface Edge {
  /** Whether workers of the configuration below run; false in the middle of a reload. */
  readonly settled: boolean;
  /** `address:port` of every instance that the configuration has. */
  readonly servers: ReadonlySet<string>;
  /** Workers by process id; `current` means that they have this configuration. */
  readonly workers: readonly { readonly pid: number; readonly current: boolean }[];
}

/**
 * Run inside nginx's container. Workers of a generation, and only they, listen on the socket that is named after it
 * (nginx/confd/templates/body.conf.tmpl); the kernel says which process holds it. That is no matter of time: an old
 * worker that has not heard yet that it is to leave does not hold it either.
 */
export const EDGE_SCRIPT = `
read -r master </run/rollcall/nginx.pid
read -r _ _ generation _ </run/rollcall/nginx.conf
grep -oE '^ *server [^ ;{]+' /run/rollcall/nginx.conf
inode=
while read -r _ _ _ flags _ _ number path; do
  [ "$path" = "/run/rollcall/generation/$generation.sock" ] && [ "$flags" = 00010000 ] && inode=$number
done </proc/net/unix
read -r -a workers </proc/$master/task/$master/children || true
for pid in "\${workers[@]}"; do
  files=$(ls -l "/proc/$pid/fd" 2>/dev/null) || continue
  [ -n "$inode" ] && [[ $files == *"socket:[$inode]"* ]] && echo "worker $pid current" || echo "worker $pid old"
done
echo end
`;

/** Reads what the script has written; throws when it is not whole. */
export function parseEdge(text: string): Edge {
  const servers = new Set<string>();
  const workers: { pid: number; current: boolean }[] = [];
  const lines = text.trim().split("\n").map((line) => line.trim().split(/\s+/));
  if (lines.at(-1)?.[0] !== "end") {
    throw new DockerError(`nginx's state is not whole: ${text.slice(-200)}`);
  }
  for (const [kind, name = "", state] of lines) {
    if (kind === "server") servers.add(name);
    if (kind === "worker") workers.push({ pid: Number(name), current: state === "current" });
  }
  return { servers, workers, settled: workers.some(({ current }) => current) };
}

/** Whether the live configuration has all of these; not while it is in the middle of a reload. */
export function has({ settled, servers }: Edge, addresses: readonly string[]): boolean {
  return settled && addresses.every((address) => servers.has(address));
}

/** Whether the live configuration has none of these: `address:port`, or an address with any port. */
export function lacks({ settled, servers }: Edge, addresses: readonly string[]): boolean {
  return settled &&
    ![...servers].some((server) =>
      addresses.some((address) =>
        server === address || server.startsWith(`${address}:`) || server.startsWith(`[${address}]:`)
      )
    );
}

/** The workers that may still have requests for whoever has just left the configuration. */
export function oldWorkers({ workers }: Edge): readonly number[] {
  return workers.filter(({ current }) => !current).map(({ pid }) => pid);
}
