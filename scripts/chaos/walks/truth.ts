// Docker and its containers as they really are, without delays: whoever looks sees them as of now. Owns no view that anybody has of them.
import type { ContainerEvent } from "../../../discovery/docker/events.ts";
import type { Listed } from "../../../discovery/docker/replies.ts";
import { attached, sampleContainer } from "../../../discovery/docker/sample_container.ts";
import type { Container, Health } from "../../../discovery/instance.ts";

/** Every kind of event without what all have. */
type Happening = ContainerEvent extends infer E
  ? E extends ContainerEvent ? Omit<E, "at" | "id" | "name"> : never
  : never;

/** A container, and what of it no inspection tells. */
export interface Box {
  /** Replaced at each change, so that whoever holds one has it as it was. */
  container: Container;
  address: string;
  listening: boolean;
  /** It was sent its stop signal in this life. */
  told: boolean;
  /** Out of rotation by hand. */
  drained: boolean;
  /** Nothing has happened to it since the last rest. */
  steady: boolean;
}

/** web-a is admitted by a connect, web-b by its HEALTHCHECK, web-c has a check that goes on. */
const LABELS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  c: { SERVICE_CHECK_TCP: "true" },
};
const MS = 1_000_000n;
/** When each machine begins, in ms since 1970. */
export const BEGIN = Date.parse("2026-11-23T03:00:00Z");

export class Truth {
  readonly boxes: readonly Box[];
  /** In ms since 1970. */
  now = BEGIN;
  private ticks = 0;

  /** `send` is told of every event, in order, with the address that its container has at that moment. */
  constructor(private readonly send: (event: ContainerEvent, address: string) => void) {
    this.boxes = ["a", "b", "c"].map((id) => {
      const health = id === "b" ? "starting" : "none";
      const labels = LABELS[id] ?? {};
      return {
        container: sampleContainer({ id, running: false, health, labels }),
        ...{ address: "", listening: false, told: false, drained: false, steady: false },
      };
    });
  }

  /** What Docker would list now. It tells no health of a paused one. */
  list(): readonly Listed[] {
    return this.boxes.filter(({ container }) => container.running).map(({ container }) => {
      const { id, name, running, paused, health, networks } = container;
      return { id, name, running, paused, health: paused ? "none" : health, networks };
    });
  }

  /** What Docker would say of one container; undefined where there is none of that id. */
  inspect(id: string): Container | undefined {
    return this.boxes.find(({ container }) => container.id === id)?.container;
  }

  /** At another address than ever before. */
  start(box: Box): void {
    if (box.container.running) return;
    const tick = ++this.ticks;
    const at = new Date(this.now).toISOString();
    box.address = `10.${tick >> 16}.${tick >> 8 & 255}.${tick & 255}`;
    box.listening = box.told = false;
    this.change(box, {
      ...{ running: true, paused: false },
      startedAt: `${at.slice(0, -1)}${String(tick % 1_000_000).padStart(6, "0")}Z`,
      networks: [attached("edge", box.address, `e${tick}`)],
      health: box.container.health === "none" ? "none" : "starting",
    });
    this.happened(box, { action: "start" });
  }

  signal(box: Box, signal: number): void {
    const { running, stopSignal } = box.container;
    if (!running) return;
    if (signal === stopSignal || signal === 9) box.told = true;
    box.steady = false;
    this.happened(box, { action: "kill", signal });
  }

  die(box: Box): void {
    if (!box.container.running) return;
    this.change(box, { running: false, paused: false });
    this.happened(box, { action: "die" });
  }

  /** Another container of the same name takes its place. */
  replace(box: Box): void {
    this.die(box);
    this.happened(box, { action: "destroy" });
    box.container = { ...box.container, id: `${box.container.id[0]}${++this.ticks}` };
    this.start(box);
  }

  pause(box: Box, paused: boolean): void {
    if (!box.container.running || box.container.paused === paused) return;
    this.change(box, { paused });
    this.happened(box, { action: paused ? "pause" : "unpause" });
  }

  health(box: Box, health: Health): void {
    const { container } = box;
    if (!container.running || container.paused || container.health === "none") return;
    if (container.health === health) return;
    this.change(box, { health });
    this.happened(box, { action: "health", health });
  }

  /** Whom nobody probes any more cannot be noticed, so only c stops listening. */
  listen(box: Box, listening: boolean): void {
    if (!box.container.running || box.listening === listening) return;
    if (!listening && box.container.id[0] !== "c") return;
    box.listening = listening;
    box.steady = false;
  }

  private change(box: Box, change: Partial<Container>): void {
    box.container = { ...box.container, ...change };
    box.steady = false;
  }

  private happened({ container: { id, name }, address }: Box, happening: Happening): void {
    const at = BigInt(this.now) * MS + BigInt(++this.ticks % 1_000_000);
    this.send({ ...happening, id, name, at } as ContainerEvent, address);
  }
}

/** Whether it may get traffic, as far as everybody could know. */
export function isReady({ container, listening, told, drained }: Box): boolean {
  const { running, paused, health } = container;
  return running && !paused && !told && !drained &&
    (health === "none" ? listening : health === "healthy");
}
