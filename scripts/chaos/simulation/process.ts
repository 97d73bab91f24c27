// One process of the simulation: what reaches it while it runs, waits while it is stopped, and is lost once it is killed.
import type { Timer, VirtualClock } from "./virtual_clock.ts";

/** Everything that wakes a process goes through it. */
export class Process {
  /** How many timers it waits for. */
  pending = 0;
  /** How many of its requests are neither answered nor given up. */
  asking = 0;
  private killed = false;
  private held: Array<() => void> | undefined;

  /** `woken` is told whenever the process has been given something to do. */
  constructor(private readonly clock: VirtualClock, private readonly woken: () => void) {}

  get alive(): boolean {
    return !this.killed;
  }

  get running(): boolean {
    return !this.killed && this.held === undefined;
  }

  /** Runs it now, when the process goes on, or never. */
  deliver(run: () => void): void {
    if (this.killed) return;
    if (this.held) return void this.held.push(run);
    run();
    this.woken();
  }

  /** The same in `ms` milliseconds. */
  in(ms: number, run: () => void): Timer {
    return this.clock.in(ms, run, this);
  }

  /** In place of `delay`, for real code. */
  readonly wait = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        this.clock.cancel(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.in(ms, done);
      signal?.addEventListener("abort", done, { once: true });
    });

  /** SIGSTOP. */
  stop(): void {
    this.held ??= [];
  }

  /** SIGCONT. */
  go(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const run of held) this.deliver(run);
  }

  /** SIGKILL: what it waits for never comes. */
  kill(): void {
    this.killed = true;
    this.held = undefined;
  }
}
