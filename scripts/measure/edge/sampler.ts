// Looks at nginx's processes every 20 ms, in the edge's container: how many workers there are, and their memory. One
// process of bash that starts no other, so that looking costs next to nothing.
import { delay } from "../../../discovery/delay.ts";
import type { Edge } from "../../../nginx/testing/edge.ts";

const SCRIPT = `
most=0 pages=0
exec {never}<> <(:)
while [[ ! -e /tmp/sampled ]]; do
  read -r master < /run/rollcall/nginx.pid
  read -r -a workers < /proc/$master/task/$master/children || true
  sum=0
  for pid in "$master" "\${workers[@]}"; do
    read -r _ resident _ 2>/dev/null < /proc/$pid/statm && sum=$((sum + resident)) || true
  done
  ((\${#workers[@]} <= most)) || most=\${#workers[@]}
  ((sum <= pages)) || pages=$sum
  read -r -t 0.02 -u "$never" || true
done
rm /tmp/sampled
echo "$most $pages"`;

/** What was seen at most. Pages that processes share are counted for each of them. */
export interface Peak {
  readonly workers: number;
  readonly mib: number;
}

export class Sampler {
  private constructor(private readonly edge: Edge, private readonly output: Promise<string>) {}

  static start(edge: Edge): Sampler {
    const output = edge.exec(SCRIPT);
    output.catch(() => {}); // Whoever calls stop() gets it.
    return new Sampler(edge, output);
  }

  async stop(): Promise<Peak> {
    await delay(100);
    await this.edge.exec(": > /tmp/sampled");
    const [workers, pages] = (await this.output).trim().split(" ").map(Number);
    return { workers: workers!, mib: pages! * 4096 / 2 ** 20 };
  }
}
