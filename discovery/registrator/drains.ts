// Hears who is to be out of rotation by hand, from the keys that people write. Owns no rule and no key.
import { backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { Doorbell } from "../doorbell.ts";
import type { Entry, Registry } from "../etcd/registry.ts";
import { drainKey } from "../keys.ts";
import { decodeDrain, type Drain } from "../registration.ts";

/** What hearing about drains needs from outside. */
export interface DrainWatchOptions {
  readonly registry: Pick<Registry, "list" | "watch">;
  readonly host: string;
  /** Told everybody who is drained, by container name, at every look. */
  readonly drained: (drains: ReadonlyMap<string, Drain>) => void;
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** How often etcd is asked whatever its watch tells, in ms: a watch may fall silent without a word. */
export const EVERY = 5_000;
/** How long after a watch that broke the next one is tried, in ms. */
const AGAIN = { first: 200, most: 2_000 };

/** Looks when the watch tells, and from time to time. What etcd last said holds while it does not answer. */
export class DrainWatch {
  private readonly bell: Doorbell;
  private readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;

  constructor(private readonly options: DrainWatchOptions) {
    this.wait = options.wait ?? delay;
    this.bell = new Doorbell(this.wait);
  }

  /** Runs until the signal fires; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.look(signal), this.listen(signal)]);
  }

  private async look(signal: AbortSignal): Promise<void> {
    const { registry, host, drained } = this.options;
    while (!signal.aborted) {
      try {
        const drains = drainsIn(await registry.list(drainKey(host, "")), host);
        if (!signal.aborted) drained(drains);
      } catch {
        // etcd is away: the reconciler, which needs it more, says so.
      }
      await this.bell.rings(EVERY, signal);
    }
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const { registry, host } = this.options;
    for (let tries = 0; !signal.aborted;) {
      try {
        await registry.watch(drainKey(host, ""), () => {
          tries = 0;
          this.bell.ring();
        }, signal);
      } catch {
        await this.wait(backoff(tries++, AGAIN), signal);
      }
    }
  }
}

/** The containers of `host` that are drained, by name. */
export function drainsIn(
  entries: ReadonlyMap<string, Entry>,
  host: string,
): ReadonlyMap<string, Drain> {
  const prefix = drainKey(host, "");
  const drains = new Map<string, Drain>();
  for (const [key, { value }] of entries) {
    if (key.startsWith(prefix)) drains.set(key.slice(prefix.length), decodeDrain(value));
  }
  return drains;
}
