// A steady stream of GETs while a test changes things: each on a connection of its own, none tried twice. Owns no statistics.
import { delay } from "../../discovery/delay.ts";

/** What became of the requests. */
export interface Outcome {
  readonly sent: number;
  /** Why each failed one failed. */
  readonly failed: readonly string[];
  /** When the last request was sent that an instance answered, in ms since 1970, by instance. */
  readonly lastSent: ReadonlyMap<string, number>;
}

/** Sends from its construction until stop(). */
export class Traffic {
  private readonly stopping = new AbortController();
  private readonly failed: string[] = [];
  private readonly lastSent = new Map<string, number>();
  private readonly pending = new Set<Promise<void>>();
  private sent = 0;
  private readonly loop: Promise<void>;

  /** `rate` in requests per second. */
  constructor(private readonly url: string, rate: number) {
    this.loop = this.run(1000 / rate);
  }

  /** Waits for the answers under way and tells what became of all. */
  async stop(): Promise<Outcome> {
    this.stopping.abort();
    await this.loop;
    await Promise.all(this.pending);
    return { sent: this.sent, failed: this.failed, lastSent: this.lastSent };
  }

  private async run(interval: number): Promise<void> {
    let next = performance.now();
    while (!this.stopping.signal.aborted) {
      // Open loop: a slow answer does not slow down the sending.
      const request = this.request().finally(() => this.pending.delete(request));
      this.pending.add(request);
      next += interval;
      await delay(Math.max(0, next - performance.now()), this.stopping.signal);
    }
  }

  private async request(): Promise<void> {
    const sentAt = Date.now();
    this.sent++;
    try {
      const answer = await exchange(this.url, 5_000);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      if (!/^HTTP\/1\.1 200 /.test(head)) throw new Error(head.split("\r\n")[0] || "no answer");
      const { instance } = JSON.parse(body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1));
      this.lastSent.set(instance, Math.max(sentAt, this.lastSent.get(instance) ?? 0));
    } catch (error) {
      this.failed.push(`at ${new Date(sentAt).toISOString()}: ${(error as Error).message}`);
    }
  }
}

/** One GET / by hand: fetch() may quietly try again, and a test must see the first failure. */
async function exchange(url: string, timeout: number): Promise<string> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const timer = setTimeout(() => connection.close(), timeout);
  try {
    const head =
      `GET / HTTP/1.1\r\nHost: ${hostname}\r\nAccept: application/json\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    return await new Response(connection.readable, {}).text();
  } finally {
    clearTimeout(timer);
    try {
      connection.close();
    } catch {
      // read to its end, it has closed itself
    }
  }
}
