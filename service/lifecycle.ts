// The life of one instance: starting, ready, draining, stopping, gone. Owns the order and the
// times; does not know HTTP, signals or the process.

import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** Nothing in flight for so long, in ms, and nobody is waited for: nginx tries another instance within 3 s. */
const silenceMs = 2_000;
const lookMs = 100;

export type Phase = "starting" | "ready" | "draining" | "stopping";

/** What listens. */
export interface Listener {
  /** Stops accepting connections; resolves when the requests in flight are answered. */
  shutdown(): Promise<void>;
  /** Resolves or rejects when it stopped listening, asked or not. */
  readonly finished: Promise<void>;
}

export interface LifecycleOptions {
  readonly startDelayMs: number;
  readonly drainMs: number;
  /** From the first `leave()` to the end at most. */
  readonly shutdownTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How many requests are being answered right now. */
  readonly inFlight: () => number;
}

/**
 * Closing at once would reset every busy keep-alive connection: a client may send its next request
 * at the very moment in which we close. So the instance first says that it leaves, in its readiness
 * and with `Connection: close` on each answer, keeps serving while clients and load balancers take
 * note, and only then closes a port that nobody uses any more.
 */
export class Lifecycle {
  #phase: Phase = "starting";
  #leaving = new AbortController();
  #hurry = new AbortController();
  #giveUp = new AbortController();
  readonly #options: LifecycleOptions;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether clients should go elsewhere with their next request. */
  get leaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  /** The first call drains and stops, the next skips the rest of the drain, one more ends it now. */
  leave(reason: string): void {
    const { log } = this.#options;
    if (!this.leaving) {
      log("info", "leaving", { reason });
      if (this.#phase === "ready") this.#phase = "draining";
      this.#leaving.abort();
    } else if (this.#phase === "draining" && !this.#hurry.signal.aborted) {
      log("info", "hastening", { reason });
      this.#hurry.abort();
    } else {
      log("warn", "giving up", { reason });
      this.#giveUp.abort();
    }
  }

  /**
   * Lives the whole life and resolves with the exit code: 0 when every request was answered, 1 when
   * some were cut off or the listener stopped unasked. Rejects when `listen` fails.
   */
  async run(listen: () => Promise<Listener> | Listener): Promise<0 | 1> {
    const { startDelayMs, drainMs, shutdownTimeoutMs, clock, log } = this.#options;
    if (startDelayMs > 0) {
      log("info", "starting", { delayMs: startDelayMs });
      await clock.sleep(startDelayMs, this.#leaving.signal);
    }
    if (this.leaving) return 0;
    const listener = await listen();
    if (!this.leaving) this.#phase = "ready";

    const unasked = await Promise.race([
      aborted(this.#leaving.signal),
      listener.finished.then(() => "the listener stopped", (error) => String(error)),
    ]);
    if (unasked !== undefined) {
      log("error", "stopped listening unasked", { reason: unasked });
      return 1;
    }

    const deadline = clock.now() + shutdownTimeoutMs;
    this.#phase = "draining";
    await clock.sleep(drainMs, this.#hurry.signal);

    this.#phase = "stopping";
    log("info", "stopping", { inFlight: this.#options.inFlight() });
    const over = new AbortController();
    const inTime = await Promise.race([
      listener.shutdown().then(() => true),
      this.#silence(over.signal).then(() => false),
      clock.sleep(deadline - clock.now(), this.#giveUp.signal).then(() => false),
    ]);
    over.abort();
    return this.#verdict(inTime);
  }

  /**
   * Resolves when nothing has been in flight for a while. Deno's server may keep a request that comes at the very moment
   * of `shutdown()`, and neither answer it nor let go of its connection (2.6.10: 3 of 200 stops under load). It is
   * given up while the load balancer still asks somebody else.
   */
  async #silence(over: AbortSignal): Promise<void> {
    const { clock, inFlight } = this.#options;
    for (let silent = 0; silent < silenceMs && !over.aborted;) {
      await clock.sleep(lookMs, over);
      silent = inFlight() === 0 ? silent + lookMs : 0;
    }
  }

  #verdict(inTime: boolean): 0 | 1 {
    const { inFlight, log } = this.#options;
    const cut = inFlight();
    if (cut === 0) {
      // With nothing in flight only silent connections are left.
      log("info", "stopped", inTime ? {} : { note: "idle connections were closed" });
      return 0;
    }
    log("error", "stopped with requests unanswered", { requests: cut });
    return 1;
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
