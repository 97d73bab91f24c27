// How soon an endpoint that does not answer yet is probed again: all of them share one budget. Pure; owns no timer.

/** Pauses between two probes of one endpoint, in ms. */
const SHORTEST = 10;
const LONGEST = 1_000;
/** After how much of the time that it has been starting an endpoint is probed again: a slow one costs little. */
const SHARE = 0.01;
/** Probes a second, all endpoints together (measured: one costs 0.04 ms of a processor). */
const MOST = 1_000;

/** The budget of the endpoints that are waited for. */
export class Pace {
  /** By endpoint, how many probes it would like, per 1,000 s: whole numbers, so that their sum stays exact. */
  private readonly wishes = new Map<string, number>();
  private sum = 0;

  /**
   * How long until the next probe of `name`, which has been waited for for `elapsed` ms. An instance
   * that took t to listen is found within 10 ms or 1 % of t, whichever is longer, 1 s at most; when
   * many start at the same time, all of them are slowed down alike.
   */
  pause(name: string, elapsed: number): number {
    const own = Math.min(LONGEST, Math.max(SHORTEST, elapsed * SHARE));
    this.wish(name, Math.round(1e6 / own));
    return own * Math.max(1, this.sum / (1_000 * MOST));
  }

  /** It is not waited for any more: the others get its share. */
  end(name: string): void {
    this.wish(name, 0);
  }

  private wish(name: string, probes: number): void {
    this.sum += probes - (this.wishes.get(name) ?? 0);
    if (probes > 0) this.wishes.set(name, probes);
    else this.wishes.delete(name);
  }
}
