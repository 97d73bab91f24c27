// Keeps probing the endpoints that the roster names, each at its own pace. Owns the schedule, not the verdict.
import { delay } from "../delay.ts";
import { Pace } from "./pace.ts";
import type { Phase } from "./probing.ts";
import type { Finding, Result, Target } from "./target.ts";

/** What the prober needs from outside. */
export interface ProberOptions {
  /** One probe; never throws. */
  readonly probe: (target: Target, signal: AbortSignal) => Promise<Finding>;
  /** Takes note, and tells where the endpoint stands now; undefined: it is not to be probed any more. */
  readonly found: (target: Target, result: Result) => Phase | undefined;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Tells the time in ms; must not go back. */
  readonly now?: () => number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** One loop for each target; `follow` starts and ends them. */
export class Prober {
  /** By container, then by the target's name. */
  private readonly loops = new Map<string, Map<string, AbortController>>();
  private readonly pace = new Pace();
  private readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  private readonly now: () => number;
  private readonly random: () => number;

  constructor(private readonly options: ProberOptions) {
    this.wait = options.wait ?? delay;
    this.now = options.now ?? (() => performance.now());
    this.random = options.random ?? Math.random;
  }

  /** Probes these targets of a container from now on, and no others of it. */
  follow(containerId: string, targets: readonly Target[]): void {
    const before = this.loops.get(containerId);
    const loops = new Map<string, AbortController>();
    for (const target of targets) {
      const loop = before?.get(target.name) ?? new AbortController();
      loops.set(target.name, loop);
      if (!before?.has(target.name)) this.run(target, loop.signal);
    }
    for (const [name, loop] of before ?? []) {
      if (loops.has(name)) continue;
      loop.abort();
      this.pace.end(name);
    }
    if (loops.size > 0) this.loops.set(containerId, loops);
    else this.loops.delete(containerId);
  }

  /** Ends all probing. */
  stop(): void {
    for (const id of [...this.loops.keys()]) this.follow(id, []);
  }

  private async run(target: Target, signal: AbortSignal): Promise<void> {
    const { name, check: { interval } } = target;
    let since = this.now();
    let before: Phase = "starting";
    while (!signal.aborted) {
      const asked = this.now();
      const finding = await this.options.probe(target, signal);
      if (signal.aborted) return;
      const phase = this.options.found(target, { ...finding, took: this.now() - asked });
      if (signal.aborted || phase === undefined) return; // what it found has ended it
      if (phase === "passing" && interval === 0) return this.pace.end(name); // only admission was asked for
      if (phase === "starting" && before !== "starting") since = this.now();
      await this.wait(this.pause(target, phase, before, since), signal);
      before = phase;
    }
  }

  /** How long until the next probe, in ms. */
  private pause(target: Target, phase: Phase, before: Phase, since: number): number {
    const { name, check: { interval } } = target;
    switch (phase) {
      case "starting":
        return this.pace.pause(name, this.now() - since);
      case "passing":
        this.pace.end(name);
        // Those that were admitted in the same moment shall not be probed in the same moment for ever.
        return before === "passing" ? interval : interval * (1 + this.random()) / 2;
      case "wavering":
      case "failing":
      case "proving": {
        // A second, or the interval where that is shorter: three failures must not take thirty seconds.
        const soon = this.pace.pause(name, Infinity);
        return interval === 0 ? soon : Math.min(interval, soon);
      }
    }
  }
}
