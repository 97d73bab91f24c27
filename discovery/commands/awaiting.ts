// Changes that are on their way to nginx, and the step that they make when they are live. Pure; asks nobody.
import type { LiveConfiguration } from "./edge.ts";
import type { Change } from "./timeline.ts";

/** After so many ms nobody waits for nginx any more: it cannot take the change, or another one took it back. */
export const PATIENCE = 5_000;

/** In the order in which they were seen. */
export class Awaiting {
  private changes: Change[] = [];

  /** From now on it is waited for. */
  add(change: Change): void {
    this.changes.push(change);
  }

  /** Whether anything is waited for. */
  get any(): boolean {
    return this.changes.length > 0;
  }

  /** Those that are live now, with that step, and those of which it will not be heard any more. `now` in ms since 1970. */
  settle(live: LiveConfiguration | undefined, now: number): readonly Change[] {
    const settled: Change[] = [];
    this.changes = this.changes.filter((change) => {
      const { traffic, address = "", at } = change;
      if (live && !live.newer && live.addresses.has(address) === (traffic === "in")) {
        settled.push(arrived(change, live));
      } else if (live === undefined || now - at > PATIENCE) settled.push(change);
      else return true;
      return false;
    });
    return settled;
  }
}

function arrived(change: Change, { at, generation }: LiveConfiguration): Change {
  const { began, steps } = change;
  // Before it began nginx had it already, as after a registrator's restart; or its clock is another.
  if (began === undefined || at < began) return change;
  const after = Math.round(at - began);
  // etcd is looked at now and then, and nginx has said when it was: what was live then stood in etcd before.
  const before = steps.map((step) => ({ ...step, after: Math.min(step.after, after) }));
  return { ...change, generation, steps: [...before, { name: "live", after }] };
}
