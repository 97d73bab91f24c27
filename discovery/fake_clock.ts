// A clock for tests that stands still until told to move. Owns nothing that runs in production.

/** Time in ms since 1970, moved by `move()` only. */
export class FakeClock {
  private time = Date.parse("2026-11-23T03:00:00.000Z");
  private readonly sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  /** The time, as `Date.now` tells it. */
  readonly now = (): number => this.time;

  /** In place of `delay`. */
  readonly wait = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        this.sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { until: this.time + ms, wake };
      this.sleepers.add(sleeper);
      signal?.addEventListener("abort", wake, { once: true });
    });

  /** How many are waiting: a loop that ended has none. */
  get waiting(): number {
    return this.sleepers.size;
  }

  /** Moves on by `ms`: wakes who is due, one moment after the other, and lets them run until they wait again. */
  async move(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    while (true) {
      const next = Math.min(...[...this.sleepers].map(({ until }) => until));
      if (next > end) break;
      this.time = Math.max(this.time, next);
      for (const sleeper of [...this.sleepers]) if (sleeper.until <= this.time) sleeper.wake();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

/** Lets everything that is ready to run do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
