// Keeps the roster told of what Docker says: events, lists, inspections, in an order that can be trusted. Owns no rule.
import { backoff } from "../backoff.ts";
import type { Engine } from "../docker/engine.ts";
import type { ContainerEvent } from "../docker/events.ts";
import { Doorbell } from "../doorbell.ts";
import { type Log, messageOf } from "../log.ts";
import { Inspections } from "./inspections.ts";
import type { Roster } from "./roster.ts";

/** What the observer needs from outside. Times in ms. */
export interface ObserverOptions {
  readonly engine: Engine;
  readonly roster: Roster;
  /** How often everything is listed, whatever events say. */
  readonly resync: number;
  readonly log: Log;
  /** Called after everything that the roster was told. */
  readonly told: () => void;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Tells the time in ms since 1970; must not go back. */
  readonly now: () => number;
}

/** How many containers are inspected at the same time. */
const INSPECTIONS = 8;
/** How often one container that Docker does not tell about may delay the first whole list. */
const PATIENCE = 3;
/** How long until a container of which Docker did not tell is asked about again, in ms. */
const AGAIN = 5_000;
/** How long after a list that shows something new its event may still come, in ms. */
const LATE = 1_000;

/** Events are hints and say who leaves; full lists decide about the rest (contract 3). */
export class Observer {
  private readonly inspections: Inspections;
  private readonly bell: Doorbell;
  /** The stream of events that is open, or being opened. */
  private stream: AbortController | undefined;
  private open = false;
  /** Nothing was listed since the stream was opened. */
  private fresh = false;
  private whole = false;
  private eventsHeard = 0;
  private signal: AbortSignal | undefined;
  /** Containers to ask about again, soon. */
  private readonly unanswered = new Set<string>();
  /** Containers of which no event has told, as of the last list. */
  private missed: ReadonlySet<string> = new Set();

  constructor(private readonly options: ObserverOptions) {
    this.bell = new Doorbell(options.wait);
    this.inspections = new Inspections({
      inspect: (id) => this.inspect(id),
      atOnce: INSPECTIONS,
    });
  }

  /** Whether Docker's events are followed. */
  get following(): boolean {
    return this.open;
  }

  /** Whether every running container has been listed and inspected once. */
  get complete(): boolean {
    return this.whole;
  }

  /** Observes until the signal fires; errors are logged and tried again, never thrown. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    await Promise.all([this.follow(signal), this.sync(signal)]);
  }

  /** Hears every event, for ever: a broken stream is opened anew, and a list tells what was missed. */
  private async follow(signal: AbortSignal): Promise<void> {
    const { engine, log, wait } = this.options;
    for (let tries = 0; !signal.aborted;) {
      const stream = this.stream = new AbortController();
      const stop = () => stream.abort();
      signal.addEventListener("abort", stop, { once: true });
      try {
        const opened = () => {
          tries = 0;
          this.open = true;
          log.info("following docker");
          this.bell.ring(); // whatever happened before the stream was open is in the list
          // Who died just before is still listed for a moment, and no event tells of it any more.
          wait(LATE, stream.signal).then(() => this.bell.ring());
          this.fresh = true;
        };
        for await (const event of engine.events(opened, stream.signal)) this.heard(event);
        if (!signal.aborted) log.warn("events missed", { effect: "following docker anew" });
      } catch (error) {
        if (this.open || tries === 0) {
          log.warn("waiting for docker", {
            error: messageOf(error),
            effect: "instances stay as they are; trying again",
          });
        }
        this.open = false;
        await wait(backoff(tries++, { first: 100, most: 5_000 }), signal);
      } finally {
        signal.removeEventListener("abort", stop);
        stream.abort(); // nobody waits for it any more
      }
    }
  }

  private heard(event: ContainerEvent): void {
    const { roster, log, now, told } = this.options;
    const { action, id, name } = event;
    this.eventsHeard++;
    log.debug("docker event", { action, container: name || id });
    const unclear = roster.heard(event, now());
    told();
    if (unclear || this.inspections.underWay(id)) this.inspections.of([id], { urgent: true });
  }

  /** Lists when the stream was opened, a moment later, and every `resync` ms. A failed list changes nothing. */
  private async sync(signal: AbortSignal): Promise<void> {
    const { log, resync } = this.options;
    for (let tries = 0; !signal.aborted;) {
      const pause = tries > 0 ? backoff(tries - 1, { first: 100, most: 5_000 }) : resync;
      await this.bell.rings(pause, signal);
      if (signal.aborted) return;
      if (!this.open) { // the next stream rings
        tries = 0;
        continue;
      }
      try {
        const { fresh } = this;
        this.fresh = false;
        const missed = await this.list(signal, tries >= PATIENCE);
        tries = 0;
        if (!fresh) this.doubtStream(missed, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (tries++ === 0) {
          const effect = "nothing is changed; trying again";
          log.warn("list failed", { error: messageOf(error), effect });
        }
      }
    }
  }

  /** Returns the containers of which an event should have told. */
  private async list(signal: AbortSignal, lenient: boolean): Promise<readonly string[]> {
    const { engine, roster, log, now, told } = this.options;
    const asOf = now();
    const rows = await engine.list(signal);
    const { inspect, missed } = roster.listed(rows, asOf, now());
    told();
    const answered = await this.inspections.of(inspect);
    if (!this.whole) {
      if (!answered && !lenient) throw new Error("Cannot inspect every container");
      this.whole = true;
      log.info("containers listed", { count: roster.size });
      told();
    }
    return missed;
  }

  /** A list that knows more than the events, and still does a moment later: the stream is deaf, so open another. */
  private doubtStream(ids: readonly string[], signal: AbortSignal): void {
    const before = this.missed;
    this.missed = new Set(ids);
    if (ids.every((id) => before.has(id))) return; // one that cannot be inspected comes up every time
    const { stream, eventsHeard } = this;
    this.options.wait(LATE, signal).then(() => {
      if (this.eventsHeard === eventsHeard) stream?.abort();
    });
  }

  /** Notes what Docker says of one container; false when it did not answer. */
  private async inspect(id: string): Promise<boolean> {
    const { engine, roster, log, now, told } = this.options;
    const asOf = now();
    try {
      const container = await engine.inspect(id, this.signal);
      if (container) roster.saw(container, asOf, now());
      else roster.gone(id, asOf);
      told();
      return true;
    } catch (error) {
      this.askAgain(id);
      const message = messageOf(error);
      if (!this.signal?.aborted) log.warn("inspection failed", { container: id, error: message });
      return false;
    }
  }

  /** Not only at the next list: while the stream stays open, that may be `resync` away. */
  private askAgain(id: string): void {
    if (this.unanswered.has(id)) return;
    this.unanswered.add(id);
    this.options.wait(AGAIN, this.signal).then(() => {
      this.unanswered.delete(id);
      if (!this.signal?.aborted) this.inspections.of([id]);
    });
  }
}
