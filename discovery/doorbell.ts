// Wakes one waiting loop. Owns no work: whoever rings says only that there may be some.
import { delay } from "./delay.ts";

/** A pause that `ring` cuts short. A ring while nobody waits is kept for the next wait; two count as one. */
export class Doorbell {
  private rung = false;
  private wake: (() => void) | undefined;

  constructor(private readonly wait: typeof delay = delay) {}

  /** Ends the pause under way, or else the next one before it begins. */
  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  /** Resolves when rung, after `ms` milliseconds, or when `signal` fires; true when it was rung. */
  async rings(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.rung && !signal.aborted) {
      // Not AbortSignal.any(): each use of it leaves something behind in a signal that lives as long as the process.
      const stop = new AbortController();
      const wake = () => stop.abort();
      signal.addEventListener("abort", wake, { once: true });
      this.wake = wake;
      await this.wait(Math.max(0, ms), stop.signal);
      this.wake = undefined;
      signal.removeEventListener("abort", wake);
    }
    const rung = this.rung;
    this.rung = false;
    return rung;
  }
}
