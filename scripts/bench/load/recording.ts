// The account of a load: one entry per request, each with exactly one ending. Owns no connection and no clock.

import type { Planned } from "./plan.ts";

/** How a request can end. A recording holds the index, so the order is part of its form. */
export const ENDINGS = [
  /** Not ended: only while the load runs. */
  "pending",
  /** 2xx, whole, and with the right body. */
  "answered",
  /** Nobody listens. */
  "refused",
  /** No connection within the time limit. */
  "connect timeout",
  /** The connection could not be made for another reason. */
  "unreachable",
  /** A new connection was reset before the first byte of an answer. */
  "reset",
  /** A new connection was closed before the first byte of an answer. */
  "closed",
  /** A reused connection was closed or reset before the first byte: what retrying clients hide. */
  "stale",
  /** The connection ended in the middle of an answer. */
  "cut",
  /** Connected, but no whole answer within the time limit. */
  "timeout",
  /** An answer other than 2xx; the recording has its code. */
  "status",
  /** Bytes that are no HTTP answer. */
  "malformed",
  /** 2xx, but not what this request should get. */
  "wrong body",
] as const;

export type Ending = typeof ENDINGS[number];

/** Bits of `Recording.flags`. */
export const POST = 1, FRESH = 2, REUSED = 4;

/** No instance is known to have answered. */
export const NOBODY = 0xffff;

/** A finished load. Entry i of each list is request i; times are in ms after `startedAt`. */
export interface Recording {
  /** ms since 1970, with fractions. */
  readonly startedAt: number;
  /** Requests per second that were intended. */
  readonly rate: number;
  /** When the plan wanted it sent. Latency counts from here. */
  readonly intended: Float64Array;
  /** When the generator got to it. Later than intended means that the generator was late. */
  readonly begun: Float64Array;
  /** When its first byte was written; NaN where it never came to that. */
  readonly sent: Float64Array;
  readonly ended: Float64Array;
  readonly ending: Uint8Array;
  /** HTTP status, or 0 without an answer. */
  readonly status: Uint16Array;
  readonly flags: Uint8Array;
  /** Index into `instances`, or NOBODY. */
  readonly instance: Uint16Array;
  readonly instances: readonly string[];
}

/** What is known about a request when it has ended. */
export interface Ended {
  readonly ending: Exclude<Ending, "pending">;
  readonly status?: number;
  readonly instance?: string;
}

/** Fills a recording. Counts for itself, so that a request lost or counted twice cannot hide. */
export class Recorder {
  private readonly recording: Recording & { instances: string[] };
  private readonly indexes = new Map<string, number>();
  /** Requests begun, answered and failed so far. */
  begun = 0;
  answered = 0;
  failed = 0;

  /** `capacity` is the most requests that it can hold. */
  constructor(startedAt: number, rate: number, capacity: number) {
    this.recording = {
      startedAt,
      rate,
      intended: new Float64Array(capacity),
      begun: new Float64Array(capacity),
      sent: new Float64Array(capacity).fill(NaN),
      ended: new Float64Array(capacity),
      ending: new Uint8Array(capacity),
      status: new Uint16Array(capacity),
      flags: new Uint8Array(capacity),
      instance: new Uint16Array(capacity).fill(NOBODY),
      instances: [],
    };
  }

  /** Requests begun that have not ended. */
  get pending(): number {
    return this.begun - this.answered - this.failed;
  }

  begin(index: number, { post, fresh }: Planned, intended: number, now: number): void {
    if (index !== this.begun) {
      throw new Error(`Cannot begin request ${index}: ${this.begun} is next`);
    }
    this.begun++;
    this.recording.intended[index] = intended;
    this.recording.begun[index] = now;
    this.recording.flags[index] = (post ? POST : 0) | (fresh ? FRESH : 0);
  }

  send(index: number, reused: boolean, now: number): void {
    this.recording.sent[index] = now;
    if (reused) this.recording.flags[index]! |= REUSED;
  }

  /** Whether the request has had its first byte written. */
  wasSent(index: number): boolean {
    return !Number.isNaN(this.recording.sent[index]);
  }

  isPending(index: number): boolean {
    return this.recording.ending[index] === 0;
  }

  /** Returns whether this instance answered for the first time. Throws when the request has ended already. */
  end(index: number, { ending, status = 0, instance }: Ended, now: number): boolean {
    if (index >= this.begun || !this.isPending(index)) {
      throw new Error(`Cannot end request ${index}: it has not begun, or has ended already`);
    }
    if (ending === "answered") this.answered++;
    else this.failed++;
    this.recording.ended[index] = now;
    this.recording.ending[index] = ENDINGS.indexOf(ending);
    this.recording.status[index] = status;
    return instance !== undefined && this.name(index, instance);
  }

  private name(index: number, instance: string): boolean {
    const known = this.indexes.get(instance);
    const at = known ?? this.recording.instances.length;
    if (at >= NOBODY) return false;
    this.recording.instance[index] = at;
    if (known !== undefined) return false;
    this.indexes.set(instance, at);
    this.recording.instances.push(instance);
    return true;
  }

  /** The recording, cut to what was begun. Throws while requests are pending. */
  finish(): Recording {
    if (this.pending !== 0) throw new Error(`Cannot finish: ${this.pending} requests are pending`);
    const cut = <T extends { slice(from: number, to: number): T }>(list: T) =>
      list.slice(0, this.begun);
    const { startedAt, rate, instances } = this.recording;
    return {
      startedAt,
      rate,
      intended: cut(this.recording.intended),
      begun: cut(this.recording.begun),
      sent: cut(this.recording.sent),
      ended: cut(this.recording.ended),
      ending: cut(this.recording.ending),
      status: cut(this.recording.status),
      flags: cut(this.recording.flags),
      instance: cut(this.recording.instance),
      instances: [...instances],
    };
  }
}
