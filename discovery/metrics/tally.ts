// Counts by labels. Owns neither names nor the text they are shown in.
import type { Labels, Sample } from "./exposition.ts";

/** Counters that only grow, one for each combination of labels. */
export class Tally<Name extends string> {
  private readonly counts = new Map<string, { readonly labels: Labels; value: number }>();

  /** Adds to the counter of these labels. */
  add(labels: Readonly<Record<Name, string>>, value = 1): void {
    const key = JSON.stringify(labels);
    const count = this.counts.get(key);
    if (count) count.value += value;
    else this.counts.set(key, { labels, value });
  }

  /** Every counter, in the order in which they were first added to. */
  samples(): Iterable<Sample> {
    return this.counts.values();
  }
}
