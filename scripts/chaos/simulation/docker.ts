// Docker as it really is: containers, their lives, the events that are sent about them. Owns no view that anybody has of it.
import type { ContainerEvent } from "../../../discovery/docker/events.ts";
import { attached, sampleContainer } from "../../../discovery/docker/sample_container.ts";
import type { Container, Health } from "../../../discovery/instance.ts";
import { SERVICES } from "../../../discovery/keys.ts";
import { SHORT } from "../../../discovery/registrator/lives.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** Every kind of event without what all have. */
type Happening = ContainerEvent extends infer E
  ? E extends ContainerEvent ? Omit<E, "at" | "id" | "name"> : never
  : never;

/** A container and what nobody but the simulation knows about it. Times in ms. */
export interface Box {
  /** Replaced at each change, so that whoever holds one has it as it was. */
  container: Container;
  /** Of its registration, and what every value there begins with that has its address. */
  readonly key: string;
  valueBegins: string;
  /** It has a check of its own that goes on. */
  readonly checked: boolean;
  listening: boolean;
  /** Out of rotation by hand. */
  drained: boolean;
  /** Told to stop in this life: when, and whether the registrator at work knows, and since when. */
  killedAt: number | undefined;
  knownLeavingAt: number | undefined;
  /** Ready for traffic without a break since then, or undefined. */
  readySince: number | undefined;
  /** Not ready since then. */
  unreadySince: number;
  /** It only listens no more, which takes UNNOTICED to be noticed, by whoever is there to probe it. */
  unnoticed: boolean;
  /** It has not listened yet in this life. */
  fresh: boolean;
  /** Until then lists may still show it although it has ended. */
  lagUntil: number;
  /** Its short lives in a row: as many as the registrator counts, or more. */
  crashes: number;
}

/** dockerd still lists who has died for that long (measured: 75 to 435 ms). */
const LAG = [75, 435] as const;
/** Three failed probes, 10 s apart, until somebody who stops listening is noticed. */
export const UNNOTICED = 33_000;

/** web-a is admitted by a connect, web-b by its HEALTHCHECK, web-c has a check that goes on. */
export class SimulatedDocker {
  readonly boxes: readonly Box[];
  /** Told of every event, in order. */
  listener: (event: ContainerEvent) => void = () => {};
  /** Until then an answer that was asked for before now may still come. */
  answersUntil = -Infinity;
  private ticks = 0;

  constructor(private readonly clock: VirtualClock, private readonly random: Random) {
    this.boxes = ["a", "b", "c"].map((id) => ({
      key: `${SERVICES}nginx/h:web-${id}:80`,
      valueBegins: "",
      container: sampleContainer({
        id,
        running: false,
        health: id === "b" ? "starting" : "none",
        labels: id === "c" ? { SERVICE_CHECK_TCP: "true" } : {},
      }),
      checked: id === "c",
      listening: false,
      drained: false,
      killedAt: undefined,
      knownLeavingAt: undefined,
      readySince: undefined,
      unreadySince: -Infinity,
      unnoticed: false,
      fresh: true,
      lagUntil: -Infinity,
      crashes: 0,
    }));
  }

  box(id: string): Box | undefined {
    return this.boxes.find(({ container }) => container.id === id);
  }

  /** How many are probed again and again: those that have a check that goes on, and those that do not listen yet. */
  get probed(): number {
    let count = 0;
    for (const { container: { running, paused, health }, checked, listening } of this.boxes) {
      if (running && !paused && (checked || (health === "none" && !listening))) count++;
    }
    return count;
  }

  /** Another container in its place, of the same name: a later one has nothing to do with what befell it. */
  replace(box: Box): void {
    this.die(box);
    this.happened(box, { action: "destroy" });
    box.crashes = 0;
    box.container = { ...box.container, id: `${box.container.id[0]}${++this.ticks}` };
    this.start(box, false);
  }

  /** It is ready, and nothing is wrong with it. */
  heal(box: Box): void {
    this.pause(box, false);
    this.listen(box, true);
    this.health(box, "healthy");
  }

  /** By hand, which no event tells. */
  drain(box: Box, drained: boolean): void {
    if (box.drained === drained) return;
    box.drained = drained;
    this.judge(box);
    if (drained) box.unreadySince = this.clock.now(); // whatever else may end meanwhile
  }

  /** Its address may be another than before. */
  start(box: Box, sameAddress: boolean): void {
    if (box.container.running) return;
    const at = new Date(this.clock.now()).toISOString();
    const startedAt = at.replace("Z", `${String(++this.ticks).padStart(6, "0")}Z`);
    const index = this.boxes.indexOf(box);
    const before = box.container.networks[0]!.address;
    const address = sameAddress ? before : `10.${index}.${this.ticks >> 8}.${this.ticks & 255}`;
    box.killedAt = box.knownLeavingAt = undefined;
    box.listening = false;
    box.fresh = true;
    box.valueBegins = `{"address":"${address}",`;
    const health = box.container.health === "none" ? "none" : "starting";
    const networks = [attached("edge", address, `e${this.ticks}`)];
    this.change(box, { running: true, paused: false, startedAt, networks, health });
    this.happened(box, { action: "start" });
  }

  /** It is sent a signal; its stop signal when none is given. */
  kill(box: Box, signal = box.container.stopSignal): void {
    if (!box.container.running) return;
    if (signal === box.container.stopSignal) box.killedAt = this.clock.now();
    this.happened(box, { action: "kill", signal });
  }

  die(box: Box): void {
    if (!box.container.running) return;
    const lived = this.clock.now() - Date.parse(box.container.startedAt);
    // An answer about this life that comes after its end makes the registrator count it twice.
    const times = this.clock.now() < this.answersUntil ? 2 : 1;
    box.crashes = lived < SHORT ? box.crashes + times : 0;
    box.lagUntil = this.clock.now() + this.random.between(...LAG);
    this.change(box, { running: false, paused: false });
    this.happened(box, { action: "die" });
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

  /** Where only admission is probed, nobody looks any more whether it still listens: so only c stops. */
  listen(box: Box, listening: boolean): void {
    if (!box.container.running || (!listening && !box.checked)) return;
    box.listening = listening;
    if (listening) box.fresh = false;
    this.judge(box);
  }

  private change(box: Box, change: Partial<Container>): void {
    box.container = { ...box.container, ...change };
    this.judge(box);
  }

  private judge(box: Box): void {
    const { container: { running, paused, health }, listening, drained } = box;
    const ready = running && !paused && !drained &&
      (health === "none" ? listening : health === "healthy");
    const now = this.clock.now();
    const unnoticed = running && !paused && health === "none" && !listening;
    if (ready) box.readySince ??= now;
    else if (box.readySince !== undefined || (box.unnoticed && !unnoticed)) box.unreadySince = now;
    if (!ready) box.readySince = undefined;
    // Who has never listened in this life was never in rotation.
    box.unnoticed = unnoticed && box.checked && !box.fresh;
  }

  private happened({ container: { id, name } }: Box, happening: Happening): void {
    const at = BigInt(this.clock.now()) * 1_000_000n + BigInt(++this.ticks);
    this.listener({ ...happening, id, name, at } as ContainerEvent);
  }
}
