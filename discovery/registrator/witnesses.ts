// Who else is asked when a probe got no answer at all: perhaps it is the registrator that nobody hears. Pure.
import type { Target } from "./target.ts";

/** How many others are asked: one may be as dead as the first. */
const MOST = 3;

/**
 * Endpoints of other containers that would answer if the registrator's own way to `target` were open: those whose
 * addresses are most alike first, as they are on the same network.
 */
export function witnessesFor(target: Target, all: Iterable<Target>): readonly Target[] {
  return [...all]
    .filter(({ containerId }) => containerId !== target.containerId)
    .map((other) => ({ other, alike: alike(other.address, target.address) }))
    .sort((a, b) => b.alike - a.alike)
    .slice(0, MOST)
    .map(({ other }) => other);
}

/** How many characters two addresses have in common at their beginning. */
function alike(a: string, b: string): number {
  let count = 0;
  while (count < a.length && a[count] === b[count]) count++;
  return count;
}
