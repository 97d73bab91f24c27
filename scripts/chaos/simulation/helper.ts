// A script of the edge as a generator that sleeps in virtual time; killed, hung and restarted as the entrypoint does it.
import { Process } from "./process.ts";
import type { Timer, VirtualClock } from "./virtual_clock.ts";

/** What a script waits for: time; a poke, for a time at most; an answer. */
export type Pause =
  | { readonly kind: "sleep" | "poke"; readonly ms: number }
  | { readonly kind: "answer" };
/** A script. `yield` returns true when it was poked. */
export type Script = Generator<Pause, void, boolean>;

export const sleep = (ms: number): Pause => ({ kind: "sleep", ms });
export const poke = (ms: number): Pause => ({ kind: "poke", ms });
export const ANSWER: Pause = { kind: "answer" };

/** A run of that long was a good one (edge/entrypoint). */
const GOOD_RUN = 10_000;

/** One of confd, apply and sweep. */
export class Helper {
  /** The process that runs now; undefined while it is being restarted. */
  process: Process | undefined;
  startedAt = -Infinity;
  private script: Script | undefined;
  private waitsFor: Pause["kind"] | undefined;
  private timer: Timer | undefined;
  private poked = false;
  private failures = 0;

  constructor(private readonly clock: VirtualClock, private readonly open: () => Script) {}

  /** It is being started, or works at something. */
  get busy(): boolean {
    return this.process === undefined || (this.process.running && this.waitsFor !== "poke");
  }

  /** It will do something of its own accord. */
  get waits(): boolean {
    return this.waitsFor === "poke" && this.timer !== undefined;
  }

  start(delay = 0): void {
    const process = new Process(this.clock, () => {});
    process.in(delay, () => {
      this.process = process;
      this.startedAt = this.clock.now();
      this.script = this.open();
      this.step(false);
    });
  }

  /** SIGKILL; the entrypoint starts the next one. */
  kill(): void {
    if (this.process === undefined) return;
    this.end();
    const good = this.clock.now() - this.startedAt >= GOOD_RUN;
    const failures = this.failures = good ? 0 : this.failures + 1;
    this.start(failures === 0 ? 0 : Math.min(1_600, 100 * 2 ** failures));
  }

  /** It is gone, together with its container. */
  end(): void {
    this.process?.kill();
    this.process = this.script = undefined;
    this.waitsFor = undefined;
    if (this.timer) this.clock.cancel(this.timer);
  }

  /** Something may have happened. Kept while it does something else; two count as one. */
  poke(): void {
    if (this.waitsFor === "poke") this.process?.deliver(() => this.step(true));
    else this.poked = true;
  }

  /** It looks of its own accord, where it has nothing to do. */
  rouse(): void {
    if (this.waitsFor === "poke" && this.timer === undefined) this.poke();
  }

  /** What it asked for is there. */
  answer(): void {
    if (this.waitsFor === "answer") this.step(false);
  }

  private step(poked: boolean): void {
    if (this.timer) this.clock.cancel(this.timer);
    this.timer = undefined;
    this.waitsFor = undefined;
    const { value: pause, done } = this.script!.next(poked);
    if (done) throw new Error("A helper ended by itself");
    this.waitsFor = pause.kind;
    if (pause.kind === "answer") return;
    if (pause.kind === "poke" && this.poked) {
      this.poked = false;
      this.timer = this.process!.in(0, () => this.step(true));
      this.waitsFor = "sleep";
    } else if (pause.ms < Infinity) {
      this.timer = this.process!.in(pause.ms, () => this.step(false));
    }
  }
}
