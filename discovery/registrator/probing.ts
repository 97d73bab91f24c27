// What the probes of one endpoint have found so far. Pure; owns neither the schedule nor the verdict on the instance.
import type { LastProbe } from "../registration.ts";
import { type Result, type Target, whatOf } from "./target.ts";

/** How many probes in a row must fail before an instance that was up leaves rotation. */
export const FALL = 3;
/** How many in a row must pass before one that left so comes back. One is luck: it answers a third of the time. */
export const RISE = 2;
/** How long at least what is said about a state stands before other words for it, in ms: each costs a write. */
export const RESTATE = 5_000;

/**
 * `starting`: has not passed yet; the first pass admits. `wavering`: passes, but the last one or two
 * failed. `failing`: passed once, and does not any more. `proving`: passes, but must go on for a
 * while first, as it has crashed before.
 */
export type Phase = "starting" | "passing" | "wavering" | "failing" | "proving";

/** The probing of one endpoint, as long as endpoint and check are the same. */
export class Probing {
  /** Probes in a row that say the contrary of what counts. */
  private contrary = 0;
  /** A probe has said something, or a predecessor's registration counts as one that passed. */
  judged: boolean;

  constructor(
    readonly target: Target,
    private current: Exclude<Phase, "proving"> = "starting",
    /** The probe that its state rests on. */
    public last?: LastProbe,
  ) {
    this.judged = current === "passing";
  }

  get phase(): Exclude<Phase, "proving"> {
    return this.current;
  }

  /** Whether it counts as answering. */
  get passed(): boolean {
    return this.current === "passing" || this.current === "wavering";
  }

  /** Takes what a probe found at `now` (ms); false when that changes nothing. */
  found({ ok, detail, took }: Result, now: number): boolean {
    const { judged, current, last, passed } = this;
    this.judged = true;
    this.contrary = ok === passed ? 0 : this.contrary + 1;
    this.current = this.next(ok);
    if (passed !== this.passed) this.contrary = 0;
    const turned = current !== this.current || !judged;
    if (ok !== this.passed) return turned; // not enough of them: what was said stands
    const said = last?.ok === ok;
    const another = !said ||
      (last.detail !== detail && now - Date.parse(last.at) >= RESTATE);
    if (another) {
      const at = new Date(now).toISOString();
      this.last = { what: whatOf(this.target), ok, detail, at, took: Math.round(took) };
    }
    return turned || another;
  }

  /** From now on it must pass anew, as one that has failed. */
  doubt(): void {
    this.current = "failing";
    this.contrary = 0;
    this.judged = false;
    this.last = undefined;
  }

  private next(ok: boolean): Exclude<Phase, "proving"> {
    switch (this.current) {
      case "starting":
        return ok ? "passing" : "starting";
      case "failing":
        return this.contrary >= RISE ? "passing" : "failing";
      case "passing":
      case "wavering":
        if (this.contrary >= FALL) return "failing";
        return ok ? "passing" : "wavering";
    }
  }
}
