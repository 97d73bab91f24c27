// Keeps probing the endpoints that the roster names, each at its own pace. Owns the schedule, not the verdict.
import { delay } from "../delay.ts";
import { FALL, type Finding, type Target } from "./target.ts";

/** What the prober needs from outside. */
export interface ProberOptions {
  /** One probe; never throws. */
  readonly probe: (target: Target, signal: AbortSignal) => Promise<Finding>;
  readonly found: (target: Target, finding: Finding) => void;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Pace while starting, in ms: an instance is seen soon after it listens, and a slow one costs little. */
const FIRST_WAIT = 25;
const LONGEST_WAIT = 1_000;
const GROWTH = 1.25;

/** One loop for each target; `follow` starts and ends them. */
export class Prober {
  private readonly loops = new Map<string, AbortController>();
  private readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor(private readonly options: ProberOptions) {
    this.wait = options.wait ?? delay;
  }

  /** Probes these targets, by name, from now on, and no others. */
  follow(targets: ReadonlyMap<string, Target>): void {
    for (const [name, loop] of this.loops) {
      if (targets.has(name)) continue;
      loop.abort();
      this.loops.delete(name);
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
    let pause = FIRST_WAIT;
    let failures = 0;
    let passed = false;
    while (!signal.aborted) {
      const finding = await this.options.probe(target, signal);
      if (signal.aborted) return;
      this.options.found(target, finding);
      failures = finding.ok ? 0 : failures + 1;
      if (finding.ok && target.check.interval === 0) return; // only admission was asked for
      if (finding.ok && !passed) pause = FIRST_WAIT;
      passed = finding.ok || (passed && failures < FALL);
      if (passed) {
        await this.wait(target.check.interval, signal);
      } else {
        await this.wait(pause, signal);
        pause = Math.min(LONGEST_WAIT, pause * GROWTH);
      }
    }
  }
}
