// Hears who is to be out of rotation by hand, from the keys that people write. Owns no rule and no key.
import { delay } from "../delay.ts";
import type { Entry, Registry } from "../etcd/registry.ts";
import { drainKey } from "../keys.ts";
import { decodeDrain, type Drain } from "../registration.ts";

/** What hearing about drains needs from outside. */
export interface DrainWatchOptions {
  readonly registry: Pick<Registry, "list">;
  readonly host: string;
  /** Told everybody who is drained, by container name, at every look. */
  readonly drained: (drains: ReadonlyMap<string, Drain>) => void;
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** How often etcd is asked, in ms. A watch would be quicker by a blink and has more ways to fall silent. */
export const EVERY = 500;

/** Looks again and again. What etcd last said holds while it does not answer. */
export class DrainWatch {
  constructor(private readonly options: DrainWatchOptions) {}

  /** Runs until the signal fires; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { registry, host, drained, wait = delay } = this.options;
    while (!signal.aborted) {
      try {
        const drains = drainsIn(await registry.list(drainKey(host, "")), host);
        if (!signal.aborted) drained(drains);
      } catch {
        // etcd is away: the reconciler, which needs it more, says so.
      }
      await wait(EVERY, signal);
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
