// One stack under load and under observation, and the log of what is done to it. Brings no fault by itself.
import type { Load } from "../../bench/load/load.ts";
import type { Recording } from "../../bench/load/recording.ts";
import { Hand } from "../faults/hand.ts";
import { Ground } from "../ground.ts";
import { differences } from "../looking/differences.ts";
import type { Happened } from "../looking/engine_view.ts";
import { isReady, type Look, runs } from "../looking/look.ts";
import { Observer, type Sample } from "../looking/observer.ts";
import { type Broken, type Excuses, Promises } from "../looking/promises.ts";
import { fetchText } from "../looking/fetch_text.ts";
import { Random } from "../simulation/random.ts";
import { type Count, eventInWords } from "./result.ts";

/** A line of the timeline. */
export interface Told {
  readonly at: number;
  readonly what: string;
}

/** What an arena is made with. */
export interface ArenaOptions {
  readonly seed: number;
  readonly instances: number;
  readonly rate: number;
  readonly overlays: readonly string[];
  /** Bounds are so many times as long as on a machine that does little else. */
  readonly patience: number;
  /** The first violation is all that is wanted: what comes after it is not waited for. */
  readonly untilFound: boolean;
}

/** A client gives up after this, in ms: longer than anything is held. */
const TIMEOUT = 30_000;
/** The edge promises 5 s (keepalive_min_timeout): at a reload it closes what has been idle for longer. */
const MAX_IDLE = 3_000;

export class Arena {
  readonly hand: Hand;
  readonly timeline: Told[] = [];
  /** So many lines of it have been written to a file. */
  saved = 0;
  readonly broken: Broken[] = [];
  readonly counts: Count[] = [];
  readonly looks: Look[] = [];
  /** What the faults of the moment excuse; whoever brings faults sets it. */
  excuses: Omit<Excuses, "foreign"> = { blind: false, struck: new Set(), drops: false };
  private readonly promises: Promises;
  private observer!: Observer;
  private load: Load | undefined;
  private heard = 0;
  private gateway = "";
  private differing = "";

  private constructor(readonly ground: Ground, readonly options: ArenaOptions) {
    this.hand = new Hand(ground.world, new Random(options.seed));
    this.promises = new Promises(ground.network, options.patience);
  }

  /** Brings up a stack and waits until it is right. */
  static async open(options: ArenaOptions): Promise<Arena> {
    const arena = new Arena(
      await Ground.up(options.instances, options.patience, options.overlays),
      options,
    );
    try {
      arena.gateway = await arena.hand.gateway();
      await arena.ground.world.right(90_000);
      await arena.ground.world.served(60_000);
      arena.observer = new Observer(
        arena.ground.project,
        (look) => arena.saw(look),
        (error) => arena.tell(`cannot look: ${error.message}`),
      );
      return arena;
    } catch (error) {
      await arena.ground.end();
      throw error;
    }
  }

  get samples(): readonly Sample[] {
    return this.observer.samples;
  }

  /** Events since then, in ms since 1970. */
  eventsSince(at: number): readonly Happened[] {
    return this.observer.events.filter((event) => event.at >= at);
  }

  /** Writes a line into the timeline. */
  tell(what: string, at = Date.now()): void {
    this.timeline.push({ at, what });
  }

  /** Takes a look now, and says what is not right. */
  async compare(): Promise<{ readonly look: Look; readonly differences: readonly string[] }> {
    const look = await this.observer.look();
    const found = [...differences(look, this.ground.network), ...await this.dashboard()];
    const text = found.join("; ");
    if (text !== this.differing) this.tell(`compared: ${text || "all agree"}`);
    this.differing = text;
    return { look, differences: found };
  }

  /** Begins a new load, then ends the one before; returns what that has recorded. */
  async renewLoad(): Promise<Recording | undefined> {
    const before = this.load;
    const { rate } = this.options;
    const mix = { seed: this.options.seed, postShare: 0.2, freshShare: 0.5 };
    const limits = { maxUnderWay: 4_000, timeoutMs: TIMEOUT, maxIdleMs: MAX_IDLE };
    this.load = await this.ground.stack.load(rate, 1, mix, limits);
    return await before?.stop();
  }

  /** Ends the load, and no other begins; returns what it has recorded. */
  async endLoad(): Promise<Recording | undefined> {
    const { load } = this;
    this.load = undefined;
    return await load?.stop();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.load?.kill();
    await this.observer?.[Symbol.asyncDispose]();
    await this.ground.end();
  }

  private saw(look: Look): void {
    for (const happened of this.observer.events.slice(this.heard)) {
      this.tell(eventInWords(happened), happened.at);
      if (happened.what === "start") this.promises.started(happened.id, happened.at);
    }
    this.heard = this.observer.events.length;
    const foreign = (server: string) => server.startsWith(`${this.gateway}:`);
    for (const broken of this.promises.judge(look, { ...this.excuses, foreign })) {
      this.broken.push(broken);
      this.tell(`BROKEN: ${broken.what}`, broken.at);
    }
    this.looks.push(look);
    if (this.looks.length > 120) this.looks.shift();
    const running = look.instances.filter((one) => runs(one, look)).length;
    const ready = look.instances.filter((one) => isReady(one, look)).length;
    const live = look.edge?.servers.size;
    this.counts.push({ at: look.at, running, live: live ?? -1 });
    const last = `${running} instances run, ${ready} ready; nginx has ${live ?? "not answered"}`;
    if (last !== this.said) this.tell(last, look.at);
    this.said = last;
  }
  private said = "";

  private async dashboard(): Promise<readonly string[]> {
    const { dashboardPort } = this.ground.stack;
    try {
      await fetchText(`http://127.0.0.1:${dashboardPort}/`, { within: 2_000 });
      return [];
    } catch {
      return ["the dashboard does not answer"];
    }
  }
}
