// A stack under load: what scenarios act on. Gathers what a measurement needs; decides nothing about it.

import { delay } from "../../../discovery/delay.ts";
import { docker } from "../../testing/docker.ts";
import { Load } from "../load/load.ts";
import type { LoadOptions } from "../load/open_loop.ts";
import { instanceOf } from "../measure/lives.ts";
import { type Gathered, type Part, partsBetween } from "../measure/measurement.ts";
import { EventWatch } from "../stack/events.ts";
import { type Usage, usageOf } from "../stack/parts.ts";
import type { Container, Stack } from "../stack/stack.ts";

/** How long an instance may take to get its first request, in ms. The slowest rival needs 12 s. */
const patience = 15_000;

export class Stage {
  private readonly since = Date.now();
  private readonly ready = new Map<string, number[]>();

  private constructor(
    private readonly stack: Stack,
    private readonly load: Load,
    private readonly watch: EventWatch,
    private readonly before: ReadonlyMap<string, Usage> | undefined,
    private readonly signal: AbortSignal,
  ) {}

  /** Begins the load. */
  static async open(stack: Stack, options: LoadOptions, signal: AbortSignal): Promise<Stage> {
    const parts = await partsOf(stack);
    const before = await usageOf([...parts.keys()]);
    const watch = new EventWatch(stack.project, Date.now());
    return new Stage(stack, new Load(options), watch, before, signal);
  }

  /** Requests so far. */
  get counts() {
    return this.load.counts;
  }

  /** Lets the load go on for so many ms. Throws when the harness is interrupted. */
  async pass(ms: number): Promise<void> {
    await delay(ms, this.signal);
    this.signal.throwIfAborted();
  }

  /** Sets the number of instances, and returns when Compose says that it is so. */
  async scale(instances: number): Promise<void> {
    await this.stack.scale(instances);
    this.signal.throwIfAborted();
  }

  /** Sends a signal to one instance, and returns when it is dead. */
  async kill(instance: Container, signal: string): Promise<void> {
    await docker("kill", "--signal", signal, instance.id);
    await docker("wait", instance.id);
  }

  instances(): Promise<readonly Container[]> {
    return this.stack.instances();
  }

  /** Waits until every running instance has answered, but not for ever: one that never does is a result too. */
  async allSeen(): Promise<void> {
    // Somebody else's instances may not tell who they are.
    const end = Date.now() + (this.load.seen.size > 0 ? patience : 3_000);
    const running = await this.stack.instances();
    const missing = () => running.filter(({ id }) => !this.load.seen.has(instanceOf(id)));
    while (missing().length > 0 && Date.now() < end) await this.pass(20);
    // They may be gone with their logs at the next step.
    await Promise.all(running.map((instance) => this.readLog(instance)));
  }

  /** Ends the load and returns all that was gathered. */
  async close(): Promise<Gathered> {
    try {
      const recording = await this.load.stop();
      const parts = await this.parts();
      const reloads = await this.reloads();
      await this.watch.stop();
      const { scaled } = this.stack.subject;
      const events = this.watch.events.filter(({ service }) => service === scaled);
      return { recording, events, ready: this.ready, reloads, parts };
    } catch (error) {
      await this.abandon();
      throw error;
    }
  }

  /** Ends the load without a result. */
  async abandon(): Promise<void> {
    this.load.kill();
    await this.watch.stop().catch(() => {});
  }

  private async readLog({ id }: Container): Promise<void> {
    const log = await docker("logs", id).catch(() => "");
    const times = log.split("\n")
      .filter((line) => line.includes('"event":"listening"'))
      .map((line) => Date.parse(JSON.parse(line).time));
    this.ready.set(instanceOf(id), times);
  }

  private async parts(): Promise<readonly Part[] | undefined> {
    const services = await partsOf(this.stack);
    const after = await usageOf([...services.keys()]);
    return after && this.before && partsBetween(services, this.before, after);
  }

  private async reloads(): Promise<number | undefined> {
    const { reloads } = this.stack.subject;
    if (!reloads) return undefined;
    const log = await this.stack.logs(reloads.service, this.since);
    return log.split("\n").filter((line) => reloads.line.test(line)).length;
  }
}

/** The containers that are not instances: compose service by id. */
async function partsOf(stack: Stack): Promise<ReadonlyMap<string, string>> {
  const containers = await stack.containers();
  const parts = containers.filter(({ service }) => service !== stack.subject.scaled);
  return new Map(parts.map(({ id, service }) => [id, service]));
}
