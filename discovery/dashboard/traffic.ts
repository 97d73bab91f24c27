// Requests per second and latency of each instance, out of nginx's log lines. Pure; owns no file and no clock.

/** What one instance did lately. */
export interface Rate {
  /** Requests per second. */
  readonly requests: number;
  /** Mean time from the request's sending to the answer's end, in ms. */
  readonly latency: number;
}

interface Slot {
  readonly at: number;
  readonly counts: ReadonlyMap<string, { readonly requests: number; readonly seconds: number }>;
}

/** Looks that a rate is made of. */
const SLOTS = 5;

/** Adds up lines of nginx's traffic log over the last few looks. */
export class Traffic {
  private slots: Slot[] = [];

  /** `now` in ms: when counting begins. */
  constructor(private began: number) {}

  /** Takes the lines since the last look; those that are not ours are passed over. `now` in ms. */
  take(lines: readonly string[], now: number): void {
    const counts = new Map<string, { requests: number; seconds: number }>();
    for (const line of lines) {
      for (const [address, seconds] of tries(line)) {
        const count = counts.get(address) ?? { requests: 0, seconds: 0 };
        count.requests++;
        count.seconds += seconds;
        counts.set(address, count);
      }
    }
    this.slots.push({ at: now, counts });
    while (this.slots.length > SLOTS) this.began = this.slots.shift()!.at;
  }

  /** Nothing is known any more: nginx does not answer. */
  forget(now: number): void {
    this.slots = [];
    this.began = now;
  }

  /** The rates by address; undefined while there is no log to read. */
  rates(): ReadonlyMap<string, Rate> | undefined {
    const end = this.slots.at(-1)?.at;
    if (end === undefined || end <= this.began) return undefined;
    const sums = new Map<string, { requests: number; seconds: number }>();
    for (const { counts } of this.slots) {
      for (const [address, { requests, seconds }] of counts) {
        const sum = sums.get(address) ?? { requests: 0, seconds: 0 };
        sums.set(address, {
          requests: sum.requests + requests,
          seconds: sum.seconds + seconds,
        });
      }
    }
    const span = (end - this.began) / 1000;
    return new Map([...sums].map(([address, { requests, seconds }]) => [
      address,
      { requests: requests / span, latency: seconds / requests * 1000 },
    ]));
  }
}

/** `172.20.0.5:8080, 172.20.0.6:8080<TAB>0.100, 0.003`: where a request was sent, and the seconds of each try. */
function tries(line: string): ReadonlyArray<readonly [string, number]> {
  const [addresses = "", times = ""] = line.split("\t");
  const seconds = times.split(", ");
  return addresses.split(", ").flatMap((address, i) => {
    const time = Number(seconds[i] === "-" ? 0 : seconds[i]);
    return /^[\d.:[\]a-fA-F]+:\d+$/.test(address) && Number.isFinite(time)
      ? [[address, time] as const]
      : [];
  });
}
