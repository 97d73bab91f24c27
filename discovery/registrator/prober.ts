// Keeps probing the endpoints that the roster names, each at its own pace. Owns the schedule, not the verdict.
import { delay } from "../delay.ts";
import { Pace } from "./pace.ts";
import { FALL, type Finding, type Target } from "./target.ts";

/** What the prober needs from outside. */
export interface ProberOptions {
  /** One probe; never throws. */
  readonly probe: (target: Target, signal: AbortSignal) => Promise<Finding>;
  readonly found: (target: Target, finding: Finding) => void;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Tells the time in ms; must not go back. */
  readonly now?: () => number;
}

/** One loop for each target; `follow` starts and ends them. */
export class Prober {
  private readonly loops = new Map<string, AbortController>();
  private readonly pace = new Pace();
  private readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  private readonly now: () => number;

  constructor(private readonly options: ProberOptions) {
    this.wait = options.wait ?? delay;
    this.now = options.now ?? (() => performance.now());
  }

  /** Probes these targets, by name, from now on, and no others. */
  follow(targets: ReadonlyMap<string, Target>): void {
    for (const [name, loop] of this.loops) {
      if (targets.has(name)) continue;
      loop.abort();
      this.loops.delete(name);
      this.pace.end(name);
    }
    for (const [name, target] of targets) {
      if (this.loops.has(name)) continue;
      const loop = new AbortController();
      this.loops.set(name, loop);
      this.run(target, loop.signal);
    }
  }

  /** Ends all probing. */
  stop(): void {
    this.follow(new Map());
  }

  private async run(target: Target, signal: AbortSignal): Promise<void> {
    const { name, check: { interval } } = target;
    let since = this.now();
    let failures = 0;
    let passed = false;
    while (!signal.aborted) {
      const finding = await this.options.probe(target, signal);
      if (signal.aborted) return;
      this.options.found(target, finding);
      if (signal.aborted) return; // what it found has ended it
      failures = finding.ok ? 0 : failures + 1;
      if (passed && failures === FALL) since = this.now();
      passed = finding.ok || (passed && failures < FALL);
      if (passed) this.pace.end(name);
      if (passed && interval === 0) return; // only admission was asked for
      await this.wait(passed ? interval : this.pace.pause(name, this.now() - since), signal);
    }
  }
}
