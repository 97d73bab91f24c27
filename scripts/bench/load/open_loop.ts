// The load generator: sends what the plan wants when the plan wants it, whatever the answers do. Never retries.

import { type Address, connect, type Connection } from "./connection.ts";
import { dueAt, dueBy, type Mix, type Planned, planned } from "./plan.ts";
import { Pool } from "./pool.ts";
import { type Ended, Recorder, type Recording } from "./recording.ts";
import { judge, requestBytes, type Target } from "./request.ts";

/** A load, as plain data. */
export interface LoadOptions {
  readonly address: Address;
  readonly target: Target;
  readonly mix: Mix;
  /** Requests per second. */
  readonly rate: number;
  /** The load ends by itself after so many. */
  readonly maxRequests: number;
  /** How many connections are kept open and used in turn. */
  readonly connections: number;
  /** One that nothing was sent on for so long, in ms, is not used again: as long as the server is known to keep it. */
  readonly maxIdleMs?: number;
  /** More requests than this are never under way; others wait, and their latency runs. */
  readonly maxUnderWay: number;
  /** From the intended time of sending to the whole answer, in ms. */
  readonly timeoutMs: number;
}

/** What the generator tells while it runs, and what it needs from outside. */
export interface LoadHooks {
  /** Ends the sending; what is under way is still waited for. */
  readonly stop: AbortSignal;
  /** An instance answered for the first time, `at` ms since 1970. */
  readonly onSeen?: (instance: string, at: number) => void;
  readonly onProgress?: (counts: { begun: number; answered: number; failed: number }) => void;
  readonly open?: (address: Address, signal: AbortSignal) => Promise<Connection>;
}

/** How often progress is told, in ms. */
const progressEvery = 500;

/** Runs a load to its end. Every request that was begun is in the recording, with one ending. */
export function runOpenLoop(options: LoadOptions, hooks: LoadHooks): Promise<Recording> {
  return new OpenLoop(options, hooks).run();
}

class OpenLoop {
  private readonly origin = performance.now();
  private readonly startedAt = performance.timeOrigin + this.origin;
  private readonly recorder: Recorder;
  private readonly pool: Pool;
  /** Requests that wait because too many are under way. */
  private readonly waiting: number[] = [];
  private readonly underWay = new Map<number, AbortController>();
  /** The first request that may not have ended: all share one time limit, so they expire in order. */
  private oldest = 0;

  constructor(private readonly options: LoadOptions, private readonly hooks: LoadHooks) {
    this.recorder = new Recorder(this.startedAt, options.rate, options.maxRequests);
    this.pool = new Pool(options.connections, options.maxIdleMs);
  }

  async run(): Promise<Recording> {
    const { rate, maxRequests } = this.options;
    let nextProgress = progressEvery;
    while (!this.hooks.stop.aborted && this.recorder.begun < maxRequests) {
      const due = Math.min(dueBy(this.now(), rate), maxRequests);
      while (this.recorder.begun < due) this.begin(this.recorder.begun);
      this.expire();
      if (this.now() >= nextProgress) {
        nextProgress += progressEvery;
        this.hooks.onProgress?.(this.recorder);
      }
      await tick();
    }
    while (this.recorder.pending > 0) {
      this.expire();
      await tick();
    }
    this.pool.close();
    return this.recorder.finish();
  }

  private now(): number {
    return performance.now() - this.origin;
  }

  private begin(index: number): void {
    const { mix, rate, maxUnderWay } = this.options;
    this.recorder.begin(index, planned(index, mix), dueAt(index, rate), this.now());
    if (this.underWay.size < maxUnderWay) this.perform(index);
    else this.waiting.push(index);
  }

  private async perform(index: number): Promise<void> {
    const limit = new AbortController();
    this.underWay.set(index, limit);
    const ended = await this.exchange(index, planned(index, this.options.mix), limit.signal);
    const now = this.now();
    if (this.recorder.end(index, ended, now)) {
      this.hooks.onSeen?.(ended.instance!, this.startedAt + now);
    }
    this.underWay.delete(index);
    const next = this.waiting.shift();
    if (next !== undefined) this.perform(next);
  }

  private async exchange(index: number, request: Planned, limit: AbortSignal): Promise<Ended> {
    const { target, address } = this.options;
    const { open = connect } = this.hooks;
    let connection = request.fresh ? undefined : this.pool.take(this.now());
    if (!connection) {
      try {
        connection = await open(address, limit);
      } catch (error) {
        return { ending: notConnected(error, limit) };
      }
      if (!request.fresh) this.pool.add(connection);
    }
    const reused = connection.uses > 0;
    const close = () => connection.close();
    limit.addEventListener("abort", close);
    if (limit.aborted) close();
    this.recorder.send(index, reused, this.now());
    const exchange = await connection.exchange(requestBytes(index, request, target));
    limit.removeEventListener("abort", close);
    if (request.fresh) connection.close();
    else this.pool.give(connection, this.now());
    return judge(index, request, reused, exchange, target);
  }

  /** Gives up on every request whose time is over. */
  private expire(): void {
    const { rate, timeoutMs } = this.options;
    const { recorder } = this;
    const now = this.now();
    for (; this.oldest < recorder.begun; this.oldest++) {
      const { oldest } = this;
      if (!recorder.isPending(oldest)) continue;
      if (now < dueAt(oldest, rate) + timeoutMs) return;
      const limit = this.underWay.get(oldest);
      if (limit) limit.abort();
      else {
        this.waiting.splice(this.waiting.indexOf(oldest), 1);
        recorder.end(oldest, { ending: "timeout" }, now);
      }
    }
  }
}

function notConnected(error: unknown, limit: AbortSignal): Ended["ending"] {
  if (limit.aborted) return "connect timeout";
  if (error instanceof Deno.errors.ConnectionRefused) return "refused";
  if (error instanceof Deno.errors.ConnectionReset) return "reset";
  return "unreachable";
}

/** As short as timers get: 1 to 2 ms. Several requests may be due then; they go out together. */
function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
