// Docker as one registrator sees it: late, in part, or not at all. Owns the faults of that path, not the containers.
import type { Engine } from "../../../discovery/docker/engine.ts";
import type { ContainerEvent } from "../../../discovery/docker/events.ts";
import type { Listed } from "../../../discovery/docker/replies.ts";
import type { Container } from "../../../discovery/instance.ts";
import type { SimulatedDocker } from "./docker.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./virtual_clock.ts";

interface Stream {
  readonly process: Process;
  readonly queue: ContainerEvent[];
  wake: () => void;
  broken: boolean;
  /** It looks open and carries nothing any more. */
  dead: boolean;
  /** When the last event arrives: the next does not overtake it. */
  arrives: number;
}

/** HttpEngine gives up then. */
const DEADLINE = 10_000;

/** The path between Docker and registrators, with its faults. */
export class DockerPath {
  private streams: Stream[] = [];
  /** Every call fails. */
  away = false;
  /** Events are lost, and nothing tells. */
  losing = false;
  /** An answer takes up to that many ms more. */
  slow = 0;
  /** When the last list that was answered was asked for; what went wrong since then no list has made up for. */
  private listedAt = -Infinity;
  private missedAt = -Infinity;
  /** Told of every event that did not arrive: the next list makes up for it. */
  lost: () => void = () => {};

  constructor(
    private readonly clock: VirtualClock,
    private readonly docker: SimulatedDocker,
    private readonly random: Random,
    private readonly heard: (event: ContainerEvent) => void,
  ) {
    docker.listener = (event) => this.send(event);
  }

  /** Whether a list has made up for everything that did not arrive. */
  get caughtUp(): boolean {
    return this.listedAt > this.missedAt;
  }

  /** Every open stream of events breaks. */
  cut(): void {
    for (const stream of this.streams.splice(0)) {
      stream.process.deliver(() => {
        stream.broken = true;
        stream.wake();
      });
    }
  }

  /** The open streams carry nothing any more, and do not tell. */
  deafen(): void {
    for (const stream of this.streams) stream.dead = true;
  }

  /** The Engine of one process. */
  engine(process: Process): Engine {
    return {
      list: async (signal) => {
        const asOf = this.clock.now();
        try {
          const rows = await this.ask(process, signal, 0, () => this.rows());
          this.listedAt = asOf;
          return rows;
        } catch (error) {
          this.missedAt = this.clock.now();
          throw error;
        }
      },
      inspect: (id, signal) => {
        const box = this.docker.box(id);
        // Inspecting who has just died blocks (measured), and tells of its end.
        const blocked = Math.max(0, (box?.lagUntil ?? 0) - this.clock.now());
        return this.ask<Container | undefined>(process, signal, blocked, () => box?.container);
      },
      hostName: () => Promise.resolve("h"),
      events: (onOpen, signal) => this.follow(process, onOpen, signal),
    };
  }

  private rows(): readonly Listed[] {
    const now = this.clock.now();
    return this.docker.boxes
      .filter(({ container, lagUntil }) => container.running || now < lagUntil)
      .map(({ container: { id, name, paused, health, networks } }) => (
        { id, name, running: true, paused, health: paused ? "none" : health, networks }
      ));
  }

  private ask<T>(
    process: Process,
    signal: AbortSignal | undefined,
    blocked: number,
    look: () => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const { random } = this;
      const before = blocked + random.between(0, 3);
      const after = random.between(0, 3) + random.between(0, this.slow);
      const abort = () => reject(signal?.reason);
      signal?.addEventListener("abort", abort, { once: true });
      const { docker, clock } = this;
      docker.answersUntil = Math.max(docker.answersUntil, clock.now() + before + after);
      this.clock.in(before, () => {
        const answer = this.away ? undefined : { value: look() };
        process.in(Math.min(after, DEADLINE), () => {
          signal?.removeEventListener("abort", abort);
          if (answer && after < DEADLINE) resolve(answer.value);
          else reject(new Error("Cannot ask Docker: it is away"));
        });
      });
    });
  }

  private async *follow(
    process: Process,
    onOpen: () => void,
    signal: AbortSignal,
  ): AsyncIterable<ContainerEvent> {
    const stream: Stream = {
      process,
      queue: [],
      wake: () => {},
      broken: false,
      dead: false,
      arrives: 0,
    };
    await this.ask(process, undefined, 0, () => this.streams.push(stream));
    const wake = () => stream.wake();
    signal.addEventListener("abort", wake);
    try {
      onOpen();
      while (!signal.aborted) {
        const event = stream.queue.shift();
        if (event) {
          this.heard(event);
          yield event;
        } else if (stream.broken) {
          throw new Error("Cannot follow events: Docker closed the stream");
        } else await new Promise<void>((resolve) => stream.wake = resolve);
      }
    } finally {
      this.streams = this.streams.filter((other) => other !== stream);
      signal.removeEventListener("abort", wake);
    }
  }

  private send(event: ContainerEvent): void {
    if (this.losing) return this.miss();
    this.streams = this.streams.filter(({ process }) => process.alive);
    for (const stream of this.streams) {
      if (stream.dead) {
        this.miss();
        continue;
      }
      const now = this.clock.now();
      stream.arrives = Math.max(stream.arrives, now + this.random.between(1, 5));
      stream.process.in(stream.arrives - now, () => {
        stream.queue.push(event);
        stream.wake();
      });
    }
  }

  private miss(): void {
    this.missedAt = this.clock.now();
    this.lost();
  }
}
