// Which request is sent when: fixed by rate, shares and seed before anything is sent. Sends nothing.

/** What the load consists of. Shares are from 0 to 1. */
export interface Mix {
  /** Equal seeds give equal sequences of requests. */
  readonly seed: number;
  /** Share of POSTs; the rest are GETs. */
  readonly postShare: number;
  /** Share of requests on a connection of their own; the rest use connections that are kept. */
  readonly freshShare: number;
}

/** One request of the plan. */
export interface Planned {
  readonly post: boolean;
  /** On a connection of its own, closed afterwards. */
  readonly fresh: boolean;
}

/** The `index`th request. Depends on nothing but its arguments, so the plan needs no memory. */
export function planned(index: number, { seed, postShare, freshShare }: Mix): Planned {
  return {
    post: chance(seed, 2 * index) < postShare,
    fresh: chance(seed, 2 * index + 1) < freshShare,
  };
}

/** When the `index`th request is due, in ms after the start. `rate` is in requests per second. */
export function dueAt(index: number, rate: number): number {
  return index * 1000 / rate;
}

/** How many requests are due `ms` after the start: the first one is due at once. */
export function dueBy(ms: number, rate: number): number {
  return ms < 0 ? 0 : Math.floor(ms * rate / 1000) + 1;
}

/** A number in [0, 1) that looks random but is fixed: the `step`th one of the generator splitmix32. */
function chance(seed: number, step: number): number {
  let z = (seed + Math.imul(step + 1, 0x9e3779b9)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
}
