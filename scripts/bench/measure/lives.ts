// Each instance's life, put together from Docker's events, its own log and the answers that clients got. Pure.

import { NOBODY, type Recording } from "../load/recording.ts";
import type { ContainerEvent } from "../stack/events.ts";
import { endingOf, type Method, methodOf } from "./account.ts";

/** One run of one container. Times are in ms since 1970; absent: it did not happen in this load. */
export interface Life {
  /** The container's id. */
  readonly id: string;
  readonly started?: number;
  /** When it began to listen, as it logged it. */
  readonly ready?: number;
  /** When a client had the first whole answer of it. */
  readonly firstAnswer?: number;
  /** When Docker sent it a signal. */
  readonly killed?: number;
  readonly signal?: number;
  readonly died?: number;
  /** When a client sent the last request that it answered. */
  readonly lastSent?: number;
}

/** Instances name themselves by their host name: the first 12 digits of the container's id. */
export function instanceOf(containerId: string): string {
  return containerId.slice(0, 12);
}

/**
 * The lives of all containers that there are events of. `ready` has the times at which containers began to
 * listen, in order, by instance name.
 */
export function livesOf(
  events: readonly ContainerEvent[],
  ready: ReadonlyMap<string, readonly number[]>,
  recording: Recording,
): readonly Life[] {
  const answers = answersByInstance(recording);
  const lives: Life[] = [];
  for (const [id, own] of Map.groupBy(events, ({ id }) => id)) {
    const spans = spansOf(own);
    for (const [i, span] of spans.entries()) {
      const from = span.started ?? -Infinity;
      const until = spans[i + 1]?.started ?? Infinity;
      const within = (at: number) => at >= from && at < until;
      const mine = (answers.get(instanceOf(id)) ?? []).filter(({ ended }) => within(ended));
      const firstAnswer = least(mine.map(({ ended }) => ended));
      const lastSent = greatest(mine.map(({ sent }) => sent));
      const readyAt = ready.get(instanceOf(id))?.find(within);
      lives.push({
        id,
        ...span,
        ...(readyAt === undefined ? {} : { ready: readyAt }),
        ...(firstAnswer === undefined ? {} : { firstAnswer }),
        ...(lastSent === undefined ? {} : { lastSent }),
      });
    }
  }
  return lives;
}

type Span = Pick<Life, "started" | "killed" | "signal" | "died">;

/** A container that is started again has several lives. */
function spansOf(events: readonly ContainerEvent[]): readonly Span[] {
  const spans: { -readonly [K in keyof Span]: Span[K] }[] = [];
  for (const { action, at, signal } of events) {
    if (action === "start" || spans.length === 0) spans.push({});
    const span = spans.at(-1)!;
    if (action === "start") span.started = at;
    // Only the first signal: after the grace period Docker sends another one.
    if (action === "kill" && span.killed === undefined) {
      span.killed = at;
      if (signal !== undefined) span.signal = signal;
    }
    if (action === "die") span.died = at;
  }
  return spans;
}

interface Times {
  readonly sent: number;
  readonly ended: number;
}

function answersByInstance(recording: Recording): ReadonlyMap<string, readonly Times[]> {
  const answers = new Map<string, Times[]>(recording.instances.map((name) => [name, []]));
  const { startedAt, instance, instances, sent, ended } = recording;
  for (let i = 0; i < instance.length; i++) {
    const index = instance[i]!;
    if (index === NOBODY) continue;
    answers.get(instances[index]!)!.push({
      sent: startedAt + sent[i]!,
      ended: startedAt + ended[i]!,
    });
  }
  return answers;
}

/** What the lives tell, in ms, one entry per life. */
export interface Turnover {
  readonly startToFirst: readonly number[];
  readonly readyToFirst: readonly number[];
  /** From the signal to the last request that was still sent to it; 0 when none was. */
  readonly killToLast: readonly number[];
  /** Instances that were started and never answered. */
  readonly unseen: number;
}

/** The times between what happened in lives. */
export function turnoverOf(lives: readonly Life[]): Turnover {
  const started = lives.filter(({ started }) => started !== undefined);
  const between = (from: keyof Life, to: keyof Life, of = lives) =>
    of.flatMap((life) => {
      const [a, b] = [life[from], life[to]];
      return typeof a === "number" && typeof b === "number" ? [b - a] : [];
    });
  return {
    startToFirst: between("started", "firstAnswer"),
    // One that was there before the load answers its first request of the load late, but not because of that.
    readyToFirst: between("ready", "firstAnswer", started),
    killToLast: between("killed", "lastSent").map((ms) => Math.max(0, ms)),
    unseen: started.filter(({ firstAnswer }) => firstAnswer === undefined).length,
  };
}

/** Failed requests that an ending instance took with it, by method. */
export interface Caught {
  /** Under way when an instance got its signal. No load balancer can do anything about a POST among them. */
  readonly underWayAtKill: Readonly<Record<Method, number>>;
  /**
   * Sent later, but before Docker said that the instance had ended: it no longer served, and only who hears of
   * the signal can have known.
   */
  readonly sentWhileEnding: Readonly<Record<Method, number>>;
}

/** Counts the failed requests that fell into the end of an instance. */
export function caughtBy(lives: readonly Life[], recording: Recording): Caught {
  const { startedAt, sent, ended } = recording;
  const ends = lives.flatMap(({ killed, died }) =>
    killed === undefined ? [] : [{ kill: killed - startedAt, end: (died ?? killed) - startedAt }]
  );
  const underWayAtKill = { GET: 0, POST: 0 };
  const sentWhileEnding = { GET: 0, POST: 0 };
  for (let i = 0; i < recording.ending.length; i++) {
    if (endingOf(recording, i) === "answered") continue;
    const method = methodOf(recording, i);
    if (ends.some(({ kill }) => sent[i]! <= kill && ended[i]! >= kill)) underWayAtKill[method]++;
    else if (ends.some(({ kill, end }) => sent[i]! > kill && sent[i]! <= end)) {
      sentWhileEnding[method]++;
    }
  }
  return { underWayAtKill, sentWhileEnding };
}

function least(numbers: readonly number[]): number | undefined {
  return numbers.reduce<number | undefined>((a, b) => a === undefined || b < a ? b : a, undefined);
}

function greatest(numbers: readonly number[]): number | undefined {
  return numbers.reduce<number | undefined>((a, b) => a === undefined || b > a ? b : a, undefined);
}
