// Keeps probing the endpoints that the roster names, each at its own pace. Owns the schedule, not the verdict.
import { delay } from "../delay.ts";
import { Pace } from "./pace.ts";
import type { Phase } from "./probing.ts";
import type { Finding, Result, Target } from "./target.ts";
import { witnessesFor } from "./witnesses.ts";

/** What the prober needs from outside. */
export interface ProberOptions {
  /** One probe; never throws. */
  readonly probe: (target: Target, signal: AbortSignal) => Promise<Finding>;
  /** Takes note, and tells where the endpoint stands now; undefined: it is not to be probed any more. */
  readonly found: (target: Target, result: Result) => Phase | undefined;
  /** Where the endpoint stands before it is probed; undefined: nothing is known of it. */
  readonly phase?: (target: Target) => Phase | undefined;
  /** Told of an endpoint that was not judged, as nobody else answered either. */
  readonly unheard?: (target: Target) => void;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Tells the time in ms; must not go back. */
  readonly now?: () => number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

interface Loop {
  readonly target: Target;
  readonly end: AbortController;
}

/** One loop for each target; `follow` starts and ends them. */
export class Prober {
  /** By container, then by the target's name. */
  private readonly loops = new Map<string, Map<string, Loop>>();
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
    const loops = new Map<string, Loop>();
    for (const target of targets) {
      const loop = before?.get(target.name) ?? { target, end: new AbortController() };
      loops.set(target.name, loop);
      if (!before?.has(target.name)) this.run(target, loop.end.signal);
    }
    for (const [name, loop] of before ?? []) {
      if (loops.has(name)) continue;
      loop.end.abort();
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
      if (await this.perhapsOurFault(target, finding, signal)) {
        if (signal.aborted) return;
        this.options.unheard?.(target);
        await this.wait(this.pause(target, "wavering", before, since), signal);
        continue;
      }
      const phase = this.options.found(target, { ...finding, took: this.now() - asked });
      if (signal.aborted || phase === undefined) return; // what it found has ended it
      if (phase === "passing" && interval === 0) return this.pace.end(name); // only admission was asked for
      if (phase === "starting" && before !== "starting") since = this.now();
      await this.wait(this.pause(target, phase, before, since), signal);
      before = phase;
    }
  }

  /**
   * Whether a probe without any answer says nothing of an endpoint that passed so far, as others that could answer give
   * none either: then it is the registrator that is cut off, or has no processor time. Where nobody else could answer,
   * it is taken at its word.
   */
  private async perhapsOurFault(
    target: Target,
    { silent }: Finding,
    signal: AbortSignal,
  ): Promise<boolean> {
    const phase = silent && this.options.phase?.(target);
    if (phase !== "passing" && phase !== "wavering") return false;
    const all = [...this.loops.values()].flatMap((loops) => [...loops.values()]);
    const others = witnessesFor(target, all.map(({ target }) => target));
    if (others.length === 0) return false;
    const findings = await Promise.all(others.map((other) => this.options.probe(other, signal)));
    return findings.every(({ silent }) => silent);
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
