// Which containers keep ending soon after their start, and how long such a one must prove itself. Pure; owns no verdict.

/** A life shorter than this is a crash, where nobody told the container to stop; in ms. */
export const SHORT = 60_000;
const SHORT_NS = BigInt(SHORT) * 1_000_000n;
/** So many crashes in a row cost nothing: a first start may fail because what it needs was not there yet. */
const FREE = 1;
const FIRST_TRIAL = 1_000;
const LONGEST_TRIAL = 60_000;
/** How long after its end a container may start again and still be known for its crashes, in ms. */
const REMEMBERED = 600_000;

/** How a life of a container ended. */
export interface End {
  /** How long it lasted, in ns; undefined where it ended before anybody had seen it. */
  readonly lived: bigint | undefined;
  /** By its stop signal or SIGKILL. */
  readonly told: boolean;
  /** In ms. */
  readonly now: number;
}

/** The containers whose last lives were short, by id. */
export class Lives {
  private readonly short = new Map<string, { readonly crashes: number; readonly until: number }>();

  /** How many of its lives in a row ended soon and by themselves. */
  crashes(id: string): number {
    return this.short.get(id)?.crashes ?? 0;
  }

  /** How many containers are remembered. */
  get size(): number {
    return this.short.size;
  }

  /** A life has ended. One that was long, or ended because it was told to, makes up for all before. */
  ended(id: string, { lived, told, now }: End): void {
    const crashes = this.crashes(id) + 1;
    this.short.delete(id); // so that the oldest stand first
    if (!told && (lived === undefined || lived < SHORT_NS)) this.inherit(id, crashes, now);
    for (const [id, { until }] of this.short) {
      if (now < until) break;
      this.short.delete(id);
    }
  }

  /** A predecessor counted. */
  inherit(id: string, crashes: number, now: number): void {
    this.short.set(id, { crashes, until: now + REMEMBERED });
  }

  /** The container does not exist any more. */
  forget(id: string): void {
    this.short.delete(id);
  }
}

/** How long an instance must pass before it is admitted, after so many crashes in a row; in ms. */
export function trialAfter(crashes: number): number {
  if (crashes <= FREE) return 0;
  return Math.min(LONGEST_TRIAL, FIRST_TRIAL * 2 ** (crashes - FREE - 1));
}
