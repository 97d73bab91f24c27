// Requests per second and latency of each instance, out of nginx's log lines. Pure; owns no file and no clock.

/** What one instance did lately. */
export interface Rate {
  /** Requests per second. */
  readonly requests: number;
  /** Mean time from the request's sending to the answer's end, in ms. */
  readonly latency: number;
  /** Which part of them came to nothing, from 0 to 1: nobody accepts, or nobody answers in time. */
  readonly silent: number;
}

/** One request as it was sent to one instance: a request that failed there is tried at another. */
export interface Try {
  readonly address: string;
  readonly seconds: number;
  /** `2xx`, or `none` where nothing came back. */
  readonly code: string;
  /** nginx itself says 502 or 504 where nobody accepts or answers. */
  readonly silent: boolean;
}

interface Count {
  requests: number;
  seconds: number;
  silent: number;
}

interface Slot {
  readonly at: number;
  readonly counts: ReadonlyMap<string, Readonly<Count>>;
}

/** Looks that a rate is made of. */
const SLOTS = 5;

/** Adds up what nginx's traffic log tells, over the last few looks. */
export class Traffic {
  private slots: Slot[] = [];

  /** `now` in ms: when counting begins. */
  constructor(private began: number) {}

  /** Takes what was tried since the last look. `now` in ms. */
  take(tries: Iterable<Try>, now: number): void {
    const counts = new Map<string, Count>();
    for (const { address, seconds, silent } of tries) {
      add(counts, address, { requests: 1, seconds, silent: Number(silent) });
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
    const sums = new Map<string, Count>();
    for (const { counts } of this.slots) {
      for (const [address, count] of counts) add(sums, address, count);
    }
    const span = (end - this.began) / 1000;
    return new Map([...sums].map(([address, { requests, seconds, silent }]) => [
      address,
      {
        requests: requests / span,
        latency: seconds / requests * 1000,
        silent: silent / requests,
      },
    ]));
  }
}

function add(counts: Map<string, Count>, address: string, more: Readonly<Count>): void {
  const count = counts.get(address);
  if (count === undefined) return void counts.set(address, { ...more });
  count.requests += more.requests;
  count.seconds += more.seconds;
  count.silent += more.silent;
}

/**
 * What lines of the log tell: `172.20.0.5:8080, 172.20.0.6:8080<TAB>0.100, 0.003<TAB>502, 200` is where a request was
 * sent, the seconds of each try, and what came back. Lines that are not ours are passed over.
 */
export function triesIn(lines: readonly string[]): readonly Try[] {
  return lines.flatMap((line) => {
    const [addresses = "", times = "", codes = ""] = line.split("\t");
    const [seconds, statuses] = [times.split(", "), codes.split(", ")];
    return addresses.split(", ").flatMap((address, i) => {
      const time = Number(seconds[i] === "-" ? 0 : seconds[i]);
      return /^[\d.:[\]a-fA-F]+:\d+$/.test(address) && Number.isFinite(time)
        ? [{ address, seconds: time, code: classOf(statuses[i]), silent: isSilence(statuses[i]) }]
        : [];
    });
  });
}

function classOf(status: string | undefined): string {
  return /^[1-5]\d\d$/.test(status ?? "") ? `${status![0]}xx` : "none";
}

function isSilence(status: string | undefined): boolean {
  return status === "502" || status === "504";
}
