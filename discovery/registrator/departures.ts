// Who is leaving, since when, and until when no list may bring it back (contract 3). Pure; owns no key.
import type { ContainerEvent } from "../docker/events.ts";
import { nanoseconds } from "../docker/nanoseconds.ts";
import { SIGKILL, signalName } from "../docker/signals.ts";
import type { Container } from "../instance.ts";
import { shown } from "./rejected_error.ts";

/** How long after `die` a list may still show the container: dockerd lags (measured: 75–435 ms). */
export const DEAD_FOR = 10_000;
/** How long after its stop grace a container must still run before it is taken back. */
export const SURVIVED = 10_000;

/** Why a container is leaving, and when it was last told to, in ms. */
export interface Leaving {
  readonly reason: string;
  readonly since: number;
  /** Not by a signal, but by hand: it is not going to end. */
  readonly byHand?: true;
}

interface Departure extends Leaving {
  /** Docker's time of the last event about it, in ns: a later start is a new life. */
  readonly at: bigint;
  /** From then on a list that shows the container running takes it back, in ms. */
  readonly until: number;
  /** Docker's time of its end, in ns; undefined while it has not ended. */
  readonly died: bigint | undefined;
  /** When its next start was heard, in ms: nobody is leaving any more, but what was asked before is of the life that ended. */
  readonly restarted?: number;
  /** Its stop grace is not known before it is inspected. */
  readonly graceKnown: boolean;
  /** The signals it was sent, while it is not known whether one of them means leaving. */
  readonly doubtful: readonly number[] | undefined;
  /** Docker's time of what made it leave for sure, before those: it says nothing of a life that began later. */
  readonly sure?: bigint | undefined;
}

/** The containers that are leaving or have just gone, by id. */
export class Departures {
  private readonly all = new Map<string, Departure>();

  /** Why the container is leaving, or undefined when it is not. */
  of(id: string): Leaving | undefined {
    const departure = this.all.get(id);
    return departure?.restarted === undefined ? departure : undefined;
  }

  has(id: string): boolean {
    return this.of(id) !== undefined;
  }

  /** Whether it has ended: what is still said about this life of it is late. */
  isDead(id: string): boolean {
    return this.all.get(id)?.died !== undefined;
  }

  /** Whether only an inspection can tell what the signals that it was sent mean. */
  isDoubtful(id: string): boolean {
    return this.all.get(id)?.doubtful !== undefined;
  }

  /** How many are remembered, for the log and for tests. */
  get size(): number {
    return this.all.size;
  }

  /** A predecessor saw it leaving at `since` (ms); how long it may take is known once it is inspected. */
  inherit(id: string, since: number, reason: string, now: number): void {
    const at = BigInt(Math.round(since)) * 1_000_000n;
    const until = Math.max(now, since) + DEAD_FOR + SURVIVED;
    const certain = { graceKnown: false, doubtful: undefined };
    this.all.set(id, { since, at, until, reason, died: undefined, ...certain });
  }

  /**
   * It was sent a signal: its stop signal and SIGKILL mean leaving, others nothing. When in doubt it
   * leaves: not inspected yet, or a label that hides which signal it was. One that has ended may have
   * started again unheard.
   */
  killed(
    event: Extract<ContainerEvent, { action: "kill" }>,
    container: Container | undefined,
    now: number,
  ): void {
    const before = this.all.get(event.id);
    if (before && before.at >= event.at) return; // said again, or overtaken by its end
    if (container && !means(container, event.signal)) return;
    const certain = before && !before.doubtful && before.died === undefined;
    this.all.set(event.id, {
      since: toldAt(event, now),
      at: event.at,
      until: now + (container?.stopGrace ?? 0) + SURVIVED,
      reason: `It was sent its stop signal, ${
        signalName(event.signal)
      }: its next start brings it back.`,
      died: before?.died,
      graceKnown: container !== undefined,
      doubtful: container ? undefined : [...before?.doubtful ?? [], event.signal],
      sure: certain ? before.at : before?.sure,
    });
  }

  /**
   * The hook that runs before its stop signal has begun: it leaves now, so that nothing is under way in it
   * when the signal comes. If none comes it is taken back like one that outlived its signal.
   */
  warned(
    event: Extract<ContainerEvent, { action: "drain" }>,
    container: Container | undefined,
    now: number,
  ): void {
    const before = this.all.get(event.id);
    if (before && before.at >= event.at) return;
    this.all.set(event.id, {
      since: toldAt(event, now),
      at: event.at,
      until: now + (container?.stopGrace ?? 0) + SURVIVED,
      reason: `It is about to be stopped: ${shown(event.command)} has begun in it (SERVICE_DRAIN).`,
      died: before?.died,
      graceKnown: container !== undefined,
      doubtful: undefined,
    });
  }

  /** It has ended. */
  ended(event: ContainerEvent, now: number): void {
    const before = this.all.get(event.id);
    if (before && before.at > event.at) return; // the end of a life before, said again
    this.end(event.id, { since: before?.since ?? now, at: event.at }, now);
    // Not only at lists: they may fail for long while containers come and go.
    for (const [id, { until, died }] of this.all) {
      if (now < until) break;
      if (died !== undefined) this.all.delete(id);
    }
  }

  /**
   * It has started: a start after what made it leave is a new life, and the one before has ended. True where nobody has
   * told of that end.
   */
  started(event: ContainerEvent, now: number): boolean {
    const departure = this.all.get(event.id);
    if (departure === undefined || departure.at >= event.at) return false;
    const died = departure.died ?? departure.at;
    const until = now + DEAD_FOR;
    this.all.delete(event.id); // so that the oldest stand first
    this.all.set(event.id, { ...departure, until, died, restarted: now, doubtful: undefined });
    return departure.died === undefined;
  }

  /** An inspection, asked for at `asOf` (ms), settles what was open, and tells of a start that no event told. */
  inspected(container: Container, asOf: number): void {
    const departure = this.all.get(container.id);
    if (departure === undefined || !container.running) return;
    const { at, since, graceKnown, doubtful, died, sure, restarted = Infinity } = departure;
    const began = nanoseconds(container.startedAt);
    const anew = asOf > restarted; // whatever Docker's clock says, should it have been set back
    if (died !== undefined && began <= died && !anew) return; // asked before its end
    const meant = doubtful === undefined || doubtful.some((signal) => means(container, signal)) ||
      (sure !== undefined && began <= sure);
    if (anew || began > at || !meant) {
      this.all.delete(container.id);
    } else if (!graceKnown || died !== undefined) {
      const until = Math.max(departure.until, since + container.stopGrace + SURVIVED);
      const known = { graceKnown: true, doubtful: undefined, died: undefined };
      this.all.set(container.id, { ...departure, until, ...known });
    }
  }

  /**
   * A whole list, asked for at `asOf` (ms), with the ids that run. Forgets those that are gone for
   * good; returns those that outlived their stop and are taken back.
   */
  listed(running: { has(id: string): boolean }, asOf: number, now: number): readonly string[] {
    const back: string[] = [];
    for (const [id, departure] of this.all) {
      if (running.has(id)) {
        if (now < departure.until) continue;
        this.all.delete(id);
        back.push(id);
      } else if (departure.since < asOf) {
        // Kept for a while: an inspection that was asked for before may still arrive.
        if (departure.died === undefined) this.end(id, departure, now);
        else if (now >= departure.until) this.all.delete(id);
      }
    }
    return back;
  }

  private end(id: string, { since, at }: Pick<Departure, "since" | "at">, now: number): void {
    const until = now + DEAD_FOR;
    const reason = "It has ended.";
    const certain = { graceKnown: true, doubtful: undefined };
    this.all.delete(id); // so that the oldest stand first
    this.all.set(id, { since, at, until, reason, died: at, ...certain });
  }
}

/**
 * When it was told to leave, in ms: a successor compares that with Docker's time of its start, and the event may have
 * been heard later than that. Not later than now, should Docker's clock be ahead.
 */
function toldAt({ at }: ContainerEvent, now: number): number {
  return Math.min(now, Number(at / 1_000_000n));
}

/** Whether a signal makes this container leave. */
function means(container: Container, signal: number): boolean {
  return signal === container.stopSignal || signal === SIGKILL ||
    Object.hasOwn(container.labels, "signal"); // Docker writes the label over the event's own signal
}
