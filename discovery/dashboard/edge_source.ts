// What the page asks nginx: which configuration is live, since when, and who was sent how many requests. Reads only.
import { within } from "../deadline.ts";

/** The live configuration. */
export interface Generation {
  readonly name: string;
  /** When new workers first answered with it, in ms since 1970. */
  readonly at: number;
}

/** The edge's status listener. Every call is one attempt with a deadline and throws when it fails. */
export interface EdgeSource {
  generation(): Promise<Generation>;
  /** The addresses of the live configuration. */
  addresses(): Promise<ReadonlySet<string>>;
  /** Lines of the traffic log since the last call; none at the first. */
  traffic(): Promise<readonly string[]>;
}

/** More than that at once is passed over: what was long ago is of no interest. */
const MOST_TRAFFIC = 2_000_000;

/** The EdgeSource on nginx's status listener, as in `http://nginx:8081`. */
export class HttpEdgeSource implements EdgeSource {
  private offset: number | undefined;

  constructor(
    private readonly url: string,
    private readonly options: { readonly deadline?: number; readonly fetch?: typeof fetch } = {},
  ) {}

  async generation(): Promise<Generation> {
    const { status, text } = await this.get("/live");
    if (status === 200) {
      const [, name, at] = /^([0-9a-f]{64}) (\d{13})\n$/.exec(text) ?? [];
      if (name !== undefined) return { name, at: Number(at) };
    }
    // Nothing was made live since nginx's start: it serves what it started with.
    const started = await this.get("/generation");
    if (started.status !== 200) {
      throw new Error(`Cannot ask nginx: status is ${started.status}`);
    }
    return { name: started.text.trim(), at: 0 };
  }

  async addresses(): Promise<ReadonlySet<string>> {
    const { status, text } = await this.get("/configuration");
    if (status !== 200) throw new Error(`Cannot read nginx's configuration: status is ${status}`);
    return addressesIn(text);
  }

  async traffic(): Promise<readonly string[]> {
    const { offset } = this;
    const range = offset === undefined ? "bytes=-1" : `bytes=${offset}-${offset + MOST_TRAFFIC}`;
    const { status, text, range: said } = await this.get("/traffic", { range });
    const size = Number(/\/(\d+)$/.exec(said ?? "")?.[1] ?? NaN);
    if (status === 416) { // nothing new, or the file was begun anew
      if (offset === undefined || size < offset) this.offset = 0;
      return [];
    }
    if (status === 200) { // an empty file has no ranges
      this.offset = 0;
      return [];
    }
    if (status !== 206) throw new Error(`Cannot read nginx's traffic: status is ${status}`);
    if (offset === undefined || size - offset > MOST_TRAFFIC) {
      this.offset = size;
      return [];
    }
    const end = text.lastIndexOf("\n") + 1; // the last line may not be whole yet
    this.offset = offset + end; // its lines are ASCII
    return text.slice(0, end).split("\n").filter((line) => line !== "");
  }

  private get(
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; text: string; range: string | null }> {
    const { deadline = 2_000, fetch: ask = fetch } = this.options;
    return within(deadline, undefined, async (signal) => {
      const answer = await ask(this.url + path, { headers, signal, redirect: "error" });
      const { status } = answer;
      return { status, text: await answer.text(), range: answer.headers.get("content-range") };
    });
  }
}

/** Every instance's address in a configuration, whichever upstream it belongs to. */
export function addressesIn(configuration: string): ReadonlySet<string> {
  const servers = configuration.matchAll(/^\s*server (\S+:\d+)[ ;]/gm);
  return new Set([...servers].map(([, address]) => address!));
}
