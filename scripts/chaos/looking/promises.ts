// What must hold all along, look by look: who leaves is out in time, who is ready is in, nobody is dropped. Pure.
import { isReady, type Look, runs, serverOf } from "./look.ts";
import type { Seen } from "./engine_view.ts";

/** What the faults of the moment excuse. */
export interface Excuses {
  /** Discovery is blind, or was a moment ago: nothing is promised about when it follows. */
  readonly blind: boolean;
  /** Names of instances that a fault has struck, and that may not be right again yet. */
  readonly struck: ReadonlySet<string>;
  /** Something takes out instances that nothing has happened to: all of them are excused. */
  readonly drops: boolean;
  /** Addresses that chaos itself has written into etcd. */
  readonly foreign: (server: string) => boolean;
}

/** Something that was promised, and is not so. */
export interface Broken {
  readonly at: number;
  readonly what: string;
}

/** How long what is promised at once may take here, in ms: machines under test are busy. */
export const PATIENCE = 10_000;
/** The same for who was dropped and is ready, for each unit of patience beyond the first. */
const DROP_PATIENCE = 2_000;
/** Who has crashed twice in this time is admitted only when it has lived for a while: see discovery/README.md. */
const CRASHES_COUNT_FOR = 130_000;

/** Judges looks in their order. */
export class Promises {
  /** Since when something is not as promised. */
  private readonly since = new Map<string, number>();
  /** What has been complained about already. */
  private readonly told = new Set<string>();
  private before: Look | undefined;
  /** When each instance was seen to start. */
  private readonly starts = new Map<string, number[]>();

  /** `patience`: how many times as long as `PATIENCE` is allowed. */
  constructor(private readonly network: string, private readonly patience = 1) {}

  /** Told by Docker. */
  started(id: string, at: number): void {
    this.starts.set(id, [...this.starts.get(id) ?? [], at]);
  }

  /** What is broken as of this look, and was not told before. */
  judge(look: Look, excuses: Excuses): readonly Broken[] {
    const wrong = new Map<string, string>();
    if (look.edge) {
      if (!excuses.blind) this.judgeServers(look, excuses, wrong);
      if (!excuses.drops) this.judgeDropped(look, excuses, wrong);
      this.before = look;
    }
    for (const key of this.since.keys()) if (!wrong.has(key)) this.since.delete(key);
    const broken: Broken[] = [];
    for (const [key, what] of wrong) {
      const since = this.since.get(key) ?? look.at;
      this.since.set(key, since);
      if (look.at - since > this.patienceWith(key)) {
        if (!this.told.has(key)) broken.push({ at: look.at, what });
        this.told.add(key);
      }
    }
    for (const key of this.told) if (!wrong.has(key)) this.told.delete(key);
    return broken;
  }

  /** How long this may last, in ms. */
  private patienceWith(key: string): number {
    if (!key.startsWith("dropped")) return PATIENCE * this.patience;
    // A drop is believed at the second look: Docker's word about a stop may be on its way at the first. Where a machine
    // is busy even a healthy instance may miss three probes, and is back after two that it passes.
    return DROP_PATIENCE * (this.patience - 1);
  }

  /** Both directions: whom nginx has runs, and who is ready is in nginx. */
  private judgeServers(look: Look, excuses: Excuses, wrong: Map<string, string>): void {
    const seconds = PATIENCE * this.patience / 1000;
    const running = new Set(
      look.instances.filter((one) => runs(one, look)).map((one) => serverOf(one, this.network)),
    );
    for (const server of look.edge!.servers) {
      if (running.has(server) || excuses.foreign(server)) continue;
      wrong.set(
        `dead ${server}`,
        `nginx has had ${server} for more than ${seconds} s, and no instance runs there`,
      );
    }
    for (const one of look.instances) {
      if (!isReady(one, look) || this.isIn(one, look)) continue;
      if (excuses.struck.has(one.name) || this.crashes(one, look.at)) continue;
      wrong.set(
        `missing ${one.id}`,
        `${one.name} has been ready for more than ${seconds} s, and nginx does not have it`,
      );
    }
  }

  /** Who was in and ready at the look before, and is ready still, is in still: whatever else is wrong. */
  private judgeDropped(look: Look, excuses: Excuses, wrong: Map<string, string>): void {
    for (const one of look.instances) {
      const key = `dropped ${one.id}`;
      if (!isReady(one, look) || this.isIn(one, look)) continue;
      if (excuses.struck.has(one.name) || this.crashes(one, look.at)) continue;
      if (this.since.has(key) || this.wasIn(one)) {
        wrong.set(key, `nginx has dropped ${one.name}, which was ready all the time`);
      }
    }
  }

  /** Whether it was in and ready, at the same address and in the same life, when nginx was last seen. */
  private wasIn(one: Seen): boolean {
    const { before } = this;
    const then = before?.instances.find(({ id }) => id === one.id);
    return before !== undefined && then !== undefined && isReady(then, before) &&
      serverOf(then, this.network) === serverOf(one, this.network) && this.isIn(then, before) &&
      !(this.starts.get(one.id) ?? []).some((start) => start > before.at - 3_000);
  }

  private isIn(one: Seen, { edge }: Look): boolean {
    return edge!.servers.has(serverOf(one, this.network) ?? "");
  }

  private crashes({ id }: Seen, now: number): boolean {
    const lately = (this.starts.get(id) ?? []).filter((at) => now - at < CRASHES_COUNT_FOR);
    return lately.length > 2;
  }
}
