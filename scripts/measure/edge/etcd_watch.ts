// Tells when etcd told of each change below a prefix, over etcd's own JSON gateway. Owns no key.
import { delay } from "../../../discovery/delay.ts";

/** One change, `at` ms since 1970 with fractions, when a watcher heard of it. */
export interface KeyEvent {
  readonly key: string;
  readonly deleted: boolean;
  readonly at: number;
}

/** Watches until it is stopped. */
export class EtcdWatch {
  readonly events: KeyEvent[] = [];
  private readonly stopping = new AbortController();

  private constructor() {}

  /** Begins to watch; resolves when etcd has accepted, so that nothing is missed from then on. */
  static async open(base: string, prefix: string): Promise<EtcdWatch> {
    const watch = new EtcdWatch();
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const response = await fetch(`${base}/v3/watch`, {
      method: "POST",
      body: JSON.stringify({ create_request: { key: btoa(prefix), range_end: btoa(end) } }),
      signal: watch.stopping.signal,
    });
    if (!response.ok) throw new Error(`Cannot watch etcd: status is ${response.status}`);
    const created = Promise.withResolvers<void>();
    watch.read(response.body!, created.resolve).catch(created.reject);
    await Promise.race([
      created.promise,
      delay(5_000, watch.stopping.signal).then(() => {
        throw new Error("Cannot watch etcd: it did not accept within 5 s");
      }),
    ]);
    return watch;
  }

  private async read(body: ReadableStream<Uint8Array>, opened: () => void): Promise<void> {
    let rest = "";
    try {
      for await (const text of body.pipeThrough(new TextDecoderStream() as ReadableWritablePair)) {
        const at = performance.timeOrigin + performance.now();
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (line === "") continue;
          opened();
          for (const { type, kv } of JSON.parse(line).result?.events ?? []) {
            this.events.push({ key: atob(kv.key), deleted: type === "DELETE", at });
          }
        }
      }
    } catch (error) {
      if (!this.stopping.signal.aborted) throw error;
    }
  }

  stop(): void {
    this.stopping.abort();
  }
}
