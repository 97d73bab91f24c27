// How long to wait before the next try of something that failed. Owns no timer.

/** Full jitter between half and the whole of `first` × 2^tries, at most `most`; all in ms. */
export function backoff(
  tries: number,
  { first, most, random = Math.random }: { first: number; most: number; random?: () => number },
): number {
  const ceiling = Math.min(most, first * 2 ** Math.min(tries, 30));
  return ceiling / 2 + random() * (ceiling / 2);
}
