// What commands ask nginx's status listener: what is live, and who was sent the last requests. Owns no verdict.
import { addressesIn, HttpEdgeSource, leftOutIn } from "../dashboard/edge_source.ts";
import { triesIn } from "../dashboard/traffic.ts";

/** nginx's live configuration. */
export interface LiveConfiguration {
  readonly generation: string;
  /** When it went live, in ms since 1970; 0: nginx started with it. */
  readonly at: number;
  /** `address:port` of each instance. */
  readonly addresses: ReadonlySet<string>;
  /** Keys that it could not take, and why. */
  readonly leftOut: ReadonlyMap<string, string>;
  /** A newer one is being loaded, or was refused: then what is said here may be of that. */
  readonly newer: boolean;
}

/** What commands need of the edge. Every call is one attempt, and throws when nginx does not answer. */
export interface Edge {
  /** The live configuration; the same object as long as it is the same. */
  live(): Promise<LiveConfiguration>;
  /** How many of the last requests each address was sent. */
  counts(): Promise<ReadonlyMap<string, number>>;
}

/** So much of the traffic log is read: some thousand requests. */
const RECENT = 131_072;

/** The Edge behind a URL, as in `http://nginx:8081`. */
export function edgeAt(url: string, options: { readonly fetch?: typeof fetch } = {}): Edge {
  const source = new HttpEdgeSource(url.replace(/\/+$/, ""), options);
  let known: LiveConfiguration | undefined;
  return {
    async live() {
      const { name: generation, at } = await source.generation();
      if (known?.generation === generation) return known;
      const text = await source.configuration();
      const newer = !text.startsWith(`# generation ${generation}`);
      const [addresses, leftOut] = [addressesIn(text), leftOutIn(text)];
      const live = { generation, at, addresses, leftOut, newer };
      if (!newer) known = live;
      return newer && known ? { ...known, newer } : live;
    },
    async counts() {
      const counts = new Map<string, number>();
      for (const { address } of triesIn(await source.recent(RECENT))) {
        counts.set(address, (counts.get(address) ?? 0) + 1);
      }
      return counts;
    },
  };
}
