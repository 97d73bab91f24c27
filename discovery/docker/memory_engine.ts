// The Engine's twin in memory, for tests and simulation: containers that start, stop and are slow to be seen. Owns no rule of ours.
import type { Container, Health } from "../instance.ts";
import type { Engine } from "./engine.ts";
import type { ContainerEvent } from "./events.ts";
import type { Listed } from "./replies.ts";
import { SIGKILL } from "./signals.ts";

type Stream = { readonly queue: ContainerEvent[]; wake: () => void; broken: boolean };
/** Every kind of event without what all have. */
type Happening = ContainerEvent extends infer E ? E extends ContainerEvent ? Omit<E, "at"> : never
  : never;

/** A Docker without containers until `start` is called. Its time is `now`, which tests move. */
export class MemoryEngine implements Engine {
  private readonly containers = new Map<string, Container>();
  private readonly streams = new Set<Stream>();
  private readonly held = new Map<string, Promise<void>>();
  private ticks = 0n;
  /** Thrown by every call while set: Docker is away. Open streams break with `cut()`. */
  failure: Error | undefined;
  /** While set, events get lost and the stream does not tell. */
  deaf = false;
  /** How often each question was asked. */
  readonly asked = { list: 0, inspect: 0, events: 0 };

  constructor(private readonly now: () => number) {}

  async list(): Promise<readonly Listed[]> {
    this.asked.list++;
    const rows = [...this.containers.values()].filter(({ running }) => running)
      .map(({ id, name, running, paused, health, networks }) => (
        { id, name, running, paused, health: paused ? "none" : health, networks } as const
      ));
    await this.answer("list");
    return rows;
  }

  async inspect(id: string): Promise<Container | undefined> {
    this.asked.inspect++;
    const container = this.containers.get(id);
    await this.answer(id);
    return container;
  }

  async hostName(): Promise<string> {
    await this.answer("info");
    return "dockerhost";
  }

  async *events(onOpen: () => void, signal: AbortSignal): AsyncIterable<ContainerEvent> {
    this.asked.events++;
    await this.answer("events");
    const stream: Stream = { queue: [], wake: () => {}, broken: false };
    const wake = () => stream.wake();
    this.streams.add(stream);
    signal.addEventListener("abort", wake);
    try {
      onOpen();
      while (!signal.aborted) {
        const event = stream.queue.shift();
        if (event) yield event;
        else if (stream.broken) throw new Error("Cannot follow events: Docker closed the stream");
        else await new Promise<void>((resolve) => stream.wake = resolve);
      }
    } finally {
      this.streams.delete(stream);
      signal.removeEventListener("abort", wake);
    }
  }

  /** Answers about `question`, a container's id or `list`, `events`, `info`, wait until the returned function is called. */
  hold(question: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.held.set(question, promise);
    return () => {
      this.held.delete(question);
      resolve();
    };
  }

  /** Every open stream of events breaks. */
  cut(): void {
    for (const stream of this.streams) Object.assign(stream, { broken: true }).wake();
    this.streams.clear();
  }

  /** A container starts; one of the same id starts anew. */
  start(container: Container): Container {
    const startedAt = this.timestamp();
    const endpoint = String(this.ticks);
    const networks = container.networks.map((network) => ({ ...network, endpoint }));
    const started = { ...container, running: true, paused: false, startedAt, networks };
    this.containers.set(container.id, started);
    this.happened({ id: container.id, name: container.name, action: "start" });
    return started;
  }

  /** `docker kill --signal`: nothing but the event. */
  kill(id: string, signal = this.containers.get(id)?.stopSignal ?? SIGKILL): void {
    this.happened({ id, name: "", action: "kill", signal });
  }

  /** The command of its SERVICE_DRAIN begins in it. */
  warn(id: string, command: string): void {
    this.happened({ id, name: "", action: "drain", command });
  }

  /** Its process has ended. */
  die(id: string): void {
    this.change(id, { running: false });
    this.happened({ id, name: "", action: "die" });
  }

  pause(id: string): void {
    this.change(id, { paused: true });
    this.happened({ id, name: "", action: "pause" });
  }

  unpause(id: string): void {
    this.change(id, { paused: false });
    this.happened({ id, name: "", action: "unpause" });
  }

  health(id: string, health: Health): void {
    this.change(id, { health });
    this.happened({ id, name: "", action: "health", health });
  }

  /** Renamed, or connected to other networks. */
  alter(id: string, change: Pick<Partial<Container>, "name" | "networks">): void {
    this.change(id, change);
    this.happened({ id, name: "", action: change.networks ? "networks" : "rename" });
  }

  private change(id: string, change: Partial<Container>): void {
    const container = this.containers.get(id);
    if (container) this.containers.set(id, { ...container, ...change });
  }

  private happened(happening: Happening): void {
    if (this.deaf) return;
    const at = BigInt(this.now()) * 1_000_000n + ++this.ticks;
    for (const { queue } of this.streams) queue.push({ ...happening, at } as ContainerEvent);
    for (const stream of this.streams) stream.wake();
  }

  /** In Docker's form, and later than everything before. */
  private timestamp(): string {
    const fraction = String(++this.ticks).padStart(6, "0");
    return new Date(this.now()).toISOString().replace("Z", `${fraction}Z`);
  }

  private async answer(question: string): Promise<void> {
    await (this.held.get(question) ?? Promise.resolve());
    if (this.failure) throw this.failure;
  }
}
