// Percentiles and what is made of them. Pure; knows no units.

/** What a list of numbers looks like; undefined stands for an empty list, never a made-up zero. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * The smallest number that at least `share` (0 to 1) of all are not above ("nearest rank"): always one
 * that was measured. `sorted` has to be in ascending order. Throws on an empty list.
 */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new Error("Cannot take a percentile: the list is empty");
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1]!;
}

/** NaNs are left out: they mark what did not happen. */
export function summarize(numbers: Iterable<number>): Summary | undefined {
  const sorted = Float64Array.from(numbers).filter((n) => !Number.isNaN(n)).sort();
  if (sorted.length === 0) return undefined;
  return {
    count: sorted.length,
    min: sorted[0]!,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    max: sorted.at(-1)!,
  };
}

/** The middle number, the mean of the two middle ones where their count is even. NaN for an empty list. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
