// Whether memory grows without bound, from samples of a run. Pure.
import type { Sample } from "../looking/observer.ts";
import { median } from "../../bench/measure/statistics.ts";

/** No container may come nearer to its limit. */
const MOST_SHARE = 0.9;
/** Below this length a run says nothing about growth, in ms: processes need some time to reach their size. */
const LONG_ENOUGH = 15 * 60_000;
const MEGABYTE = 2 ** 20;

/** Memory of one container over a run, in MiB: the middle of its first and last third, and its most. */
export interface Growth {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly most: number;
}

/** How memory went, by container. */
export function growthOf(samples: readonly Sample[]): readonly Growth[] {
  return [...Map.groupBy(samples, ({ name }) => name)].map(([name, own]) => {
    const third = Math.ceil(own.length / 3);
    const middle = (part: readonly Sample[]) => median(part.map(({ bytes }) => bytes)) / MEGABYTE;
    return {
      name,
      first: middle(own.slice(0, third)),
      last: middle(own.slice(-third)),
      most: Math.max(...own.map(({ bytes }) => bytes)) / MEGABYTE,
    };
  });
}

/** What is wrong about it, in words. Faults restart processes: so it is the middles that are compared. */
export function memoryComplaints(samples: readonly Sample[]): readonly string[] {
  const found: string[] = [];
  for (const [name, own] of Map.groupBy(samples, ({ name }) => name)) {
    const most = Math.max(...own.map(({ share }) => share));
    if (most > MOST_SHARE) {
      found.push(`${name} took ${(most * 100).toFixed(0)} % of the memory that it may have`);
    }
  }
  const [first, last] = [samples[0]?.at ?? 0, samples.at(-1)?.at ?? 0];
  if (last - first < LONG_ENOUGH) return found;
  for (const { name, first, last } of growthOf(samples)) {
    if (last > first * 1.5 + 32) {
      found.push(`${name} grew from ${first.toFixed(0)} to ${last.toFixed(0)} MiB`);
    }
  }
  return found;
}
