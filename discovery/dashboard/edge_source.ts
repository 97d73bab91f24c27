// What the page asks nginx: which configuration is live, since when, and who was sent how many requests. Reads only.
import { within } from "../deadline.ts";

/** The live configuration. */
export interface Generation {
  readonly name: string;
  /** When new workers first answered with it, in ms since 1970. */
  readonly at: number;
}

/** Connections of clients, and what was made of them since nginx started. */
export interface Connections {
  readonly active: number;
  readonly reading: number;
  readonly writing: number;
  readonly waiting: number;
  readonly accepted: number;
  readonly handled: number;
  readonly requests: number;
}

/** What the edge has counted by itself. */
export interface EdgeTotals {
  /** Undefined: nginx does not tell whoever asks from here. */
  readonly connections: Connections | undefined;
  /** Reloads, checks, their failures and ms, since edge/apply started; by its own names. */
  readonly counts: ReadonlyMap<string, number>;
}

/** The edge's status listener. Every call is one attempt with a deadline and throws when it fails. */
export interface EdgeSource {
  generation(): Promise<Generation>;
  /** The addresses of the live configuration. */
  addresses(): Promise<ReadonlySet<string>>;
  /** Lines of the traffic log since the last call; none at the first. */
  traffic(): Promise<readonly string[]>;
  totals(): Promise<EdgeTotals>;
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
    return addressesIn(await this.configuration());
  }

  /** nginx.conf as it stands; the first line names its generation. */
  async configuration(): Promise<string> {
    const { status, text } = await this.get("/configuration");
    if (status !== 200) throw new Error(`Cannot read nginx's configuration: status is ${status}`);
    return text;
  }

  /** The last lines of the traffic log, as many as `bytes` hold. */
  async recent(bytes: number): Promise<readonly string[]> {
    const { status, text, range } = await this.get("/traffic", { range: `bytes=-${bytes}` });
    if (status !== 200 && status !== 206) return []; // empty, or switched off
    const whole = status === 200 || /^bytes 0-/.test(range ?? "");
    const from = whole ? 0 : text.indexOf("\n") + 1; // the first line is cut
    return text.slice(from, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "");
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

  async totals(): Promise<EdgeTotals> {
    const [stub, counts] = await Promise.all([this.get("/stub"), this.get("/counts")]);
    return {
      connections: stub.status === 200 ? connectionsIn(stub.text) : undefined,
      counts: new Map(counts.status === 200 ? countsIn(counts.text) : []),
    };
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

/** Why a key was left out of a configuration, by the key as the edge writes it. */
export function leftOutIn(configuration: string): ReadonlyMap<string, string> {
  const lines = configuration.matchAll(/^ *# left out: (\S+): (.+)$/gm);
  return new Map([...lines].map(([, key, reason]) => [key!, reason!]));
}

/** Every instance's address in a configuration, whichever upstream it belongs to. */
export function addressesIn(configuration: string): ReadonlySet<string> {
  const servers = configuration.matchAll(/^\s*server (\S+:\d+)[ ;]/gm);
  return new Set([...servers].map(([, address]) => address!));
}

/** nginx's stub_status; undefined when it is of another form. */
function connectionsIn(text: string): Connections | undefined {
  const numbers = (text.match(/\d+/g) ?? []).map(Number);
  if (numbers.length !== 7) return undefined;
  const [active, accepted, handled, requests, reading, writing, waiting] = numbers as [
    ...[number, number, number, number, number, number, number],
  ];
  return { active, accepted, handled, requests, reading, writing, waiting };
}

/** Lines of a name and a number; one that is being written may be cut. */
function countsIn(text: string): ReadonlyArray<readonly [string, number]> {
  const lines = text.matchAll(/^([a-z_]{1,40}) (\d{1,15})\n/gm);
  return [...lines].map(([, name, value]) => [name!, Number(value)] as const);
}
