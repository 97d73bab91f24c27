// Counts over the last minutes, one a second. Owns no clock and no looks.

/** What was so at one moment. */
export interface Sample {
  /** In ms since 1970. */
  readonly at: number;
  /** Instances in rotation. */
  readonly up: number;
  /** Instances known and not in rotation. */
  readonly out: number;
  /** Requests per second; undefined while nginx does not tell. */
  readonly requests: number | undefined;
}

/** How far back it goes, in ms. */
export const SPAN = 10 * 60_000;

/** The last ten minutes. */
export class History {
  private list: Sample[] = [];

  /** Adds a sample that is newer than those before. */
  add(sample: Sample): void {
    this.list.push(sample);
    const first = this.list.findIndex(({ at }) => at > sample.at - SPAN);
    if (first > 0) this.list.splice(0, first);
  }

  /** From the oldest to the newest. */
  samples(): readonly Sample[] {
    return this.list;
  }
}
