// One episode on an arena: its faults and changes, their healing, quiet, and the judgement. Owns no stack.
import { delay } from "../../../discovery/delay.ts";
import { accountFor } from "../../bench/measure/account.ts";
import type { Recording } from "../../bench/load/recording.ts";
import { inTime } from "../looking/fetch_text.ts";
import { drains, leavesWithin } from "../ground.ts";
import type { Hand } from "../faults/hand.ts";
import type { Kind } from "../faults/kind.ts";
import { kindNamed } from "../faults/kinds.ts";
import { endsWith, type Episode, type Step } from "../schedule.ts";
import type { Arena } from "./arena.ts";
import { type Active, type Causes, type Change, leavingIn, spansOf } from "./causes.ts";
import type { Done, EpisodeResult } from "./result.ts";
import { lateRequests } from "./late.ts";
import { stallsOf } from "./stalls.ts";
import { inWords, lostIn } from "./span.ts";

/** Looks in a row that must agree, a second apart. */
const QUIET = 3;
/** A stack that is not right this long after its healing is given up, in ms. */
const GIVE_UP = 150_000;

/** Bringing or healing a fault takes no longer, in ms: else something is in its way, which is noted. */
const LONGEST = 60_000;

/** A fault while it is there. */
type Fault = Active & { readonly kind: Kind };

export class EpisodeRun {
  private readonly done: Done[] = [];
  private readonly changes: Change[] = [];
  private readonly active: Fault[] = [];
  private readonly violations: string[] = [];
  /** Scale changes come one after the other: Compose would stumble over itself. */
  private scaling: Promise<void> = Promise.resolve();
  private readonly hand: Hand;
  private ended = false;

  constructor(
    private readonly arena: Arena,
    private readonly episode: Episode,
    private readonly before: ReadonlySet<string>,
    private readonly abrupt: Set<string>,
    private readonly signal: AbortSignal,
  ) {
    this.hand = arena.hand;
  }

  /** Runs it. The load is under way already. Undefined seconds: the stack has to be given up. */
  async run(): Promise<EpisodeResult> {
    const { episode, arena, signal } = this;
    const brokenBefore = arena.broken.length;
    const began = Date.now();
    await this.prepare();
    const from = Date.now();
    arena.tell(`--- episode ${episode.number}: ${episode.steps.map(stepInWords).join(", ")}`);
    const excusing = setInterval(() => this.excuse(), 100);
    try {
      await Promise.all(episode.steps.map((step) => this.perform(step)));
      await this.scaling;
      await this.finalScale();
      const over = Date.now();
      const heals = Math.max(20, ...this.active.map(({ kind }) => kind.heals)) *
        arena.options.patience;
      const seconds = await this.untilRight(over, heals);
      const right = Date.now();
      const recording = await (seconds === undefined ? arena.endLoad() : arena.renewLoad());
      const account = accountFor(recording!);
      const stalls = stallsOf(recording!);
      const causes = this.causesSince(began);
      const lost = lostIn(recording!, [...spansOf(causes), ...stalls], arena.options.patience);
      const stood = stalls.reduce((sum, { from, over }) => sum + (over - from) / 1000, 0);
      const unexplained = lost.filter(({ because }) => because === undefined);
      if (unexplained.length > 0) {
        const times = unexplained.map(({ at }) => at - from);
        const [first, last] = [Math.min(...times), Math.max(...times)];
        this.violations.push(
          `${unexplained.length} requests failed that nothing accounts for, ` +
            `from ${first.toFixed(0)} to ${last.toFixed(0)} ms: ${inWords(unexplained)}`,
        );
      }
      for (const { what, at } of arena.broken.slice(brokenBefore)) {
        this.violations.push(`${what} (at ${at - from} ms)`);
      }
      this.judgeLeaving(recording!, causes);
      this.judgeRestarts(from);
      const { done, violations } = this;
      return {
        ...{ episode, from, to: right, done, sent: account.sent, lost, slow: account.slow, stood },
        ...{ seconds: signal.aborted ? 0 : seconds, violations },
      };
    } finally {
      clearInterval(excusing);
      this.ended = true;
      this.arena.excuses = { blind: false, struck: new Set(), drops: false };
    }
  }

  /** As many instances as the episode begins with. */
  private async prepare(): Promise<void> {
    const running = await this.hand.world.running();
    if (running.length === this.episode.instances) return;
    this.arena.tell(`scale ${running.length} → ${this.episode.instances}, before the episode`);
    await this.scale(this.episode.instances, "drains");
    await this.untilRight(Date.now(), 20 * this.arena.options.patience, "the change before it", 1);
  }

  private async perform(step: Step): Promise<void> {
    await delay(step.at, this.signal);
    if (this.signal.aborted) return;
    if (step.what === "fault") return await this.fault(step);
    this.scaling = this.scaling.then(() => this.scale(step.to, step.leaves));
    await this.scaling;
  }

  private async fault(step: Step & { readonly what: "fault" }): Promise<void> {
    const kind = kindNamed(step.kind);
    const active: Fault = { kind, from: Date.now(), acted: Infinity, over: Infinity };
    this.active.push(active);
    this.excuse();
    this.arena.tell(`fault: ${kind.name}`);
    const notes: string[] = [];
    const noted = (work: Promise<unknown>) =>
      inTime(work, LONGEST, kind.name).catch((error) =>
        void notes.push((error as Error).message.replaceAll("\n", " "))
      );
    await noted(kind.act(this.hand, step.who));
    active.acted = Date.now();
    await delay(Math.max(0, step.lasts - (Date.now() - active.from)), this.signal);
    this.arena.tell(`heals: ${kind.name}`);
    for (let tries = 3; tries > 0; tries--) {
      const before = notes.length;
      await noted(kind.heal(this.hand, step.who));
      if (notes.length === before) break;
      await delay(1_000);
    }
    active.over = Date.now();
    this.arena.tell(`healed: ${kind.name}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`);
    this.done.push({
      ...{ what: kind.name, kind: "fault", from: active.from, over: active.over },
      ...(notes.length > 0 && { note: notes.join("; ") }),
    });
  }

  private async scale(to: number, leaves: "drains" | "exits at once"): Promise<void> {
    const from = Date.now();
    const { stack } = this.hand.world;
    stack.set(
      leaves === "drains"
        ? drains(this.arena.options.patience)
        : { DRAIN_SECONDS: "0", SHUTDOWN_TIMEOUT_SECONDS: "0.001" },
    );
    const ids = async () => (await stack.containers()) as readonly string[];
    const before = await ids();
    this.arena.tell(`scale ${before.length} → ${to} (those that come: ${leaves})`);
    let note: string | undefined;
    try {
      await inTime(stack.scale(to), 2 * LONGEST, "docker compose up");
    } catch (error) {
      note = (error as Error).message.replaceAll("\n", " ");
      this.arena.tell(`scale failed: ${note}`);
    }
    const after = await ids();
    if (leaves === "exits at once") {
      for (const id of after) if (!before.includes(id)) this.abrupt.add(id);
    }
    const gone = before.filter((id) => !after.includes(id));
    const over = Date.now();
    const what = `scale to ${to}`;
    this.changes.push({ what, from, over, gone: new Set(gone) });
    this.done.push({ what, kind: "scale", from, over, ...(note !== undefined && { note }) });
  }

  /** What has been done since then, and what Docker told of it. */
  private causesSince(began: number): Causes {
    return {
      ...{ active: this.active, changes: this.changes, abrupt: this.abrupt },
      events: this.arena.eventsSince(began),
      struck: (fault) => this.hand.struck(fault),
    };
  }

  /** Who is told to stop gets no new request, as soon as the edge can know. */
  private judgeLeaving(recording: Recording, causes: Causes): void {
    const bound = leavesWithin(this.arena.options.patience);
    for (const { name, count, last } of lateRequests(recording, leavingIn(causes, bound), bound)) {
      this.violations.push(
        `${count} requests went to ${name} later than ${bound / 1000} s after its stop signal, ` +
          `the last one after ${(last / 1000).toFixed(1)} s`,
      );
    }
  }

  /** What a fault has kept Compose from. */
  private async finalScale(): Promise<void> {
    const to = endsWith(this.episode);
    const running = await this.hand.world.running();
    if (running.length !== to) await this.scale(to, "drains");
  }

  /** Waits until all agree for a while, and says how many s that took. */
  private async untilRight(
    over: number,
    within: number,
    after = "the last healing",
    quiet = QUIET,
  ): Promise<number | undefined> {
    let [row, first, signature, late] = [0, 0, "", false];
    while (!this.signal.aborted) {
      const began = Date.now();
      const { look, differences } = await this.arena.compare().catch((error) => ({
        look: undefined,
        differences: [`cannot compare: ${(error as Error).message}`],
      }));
      const keys = JSON.stringify(look?.keys?.map(({ key, revision }) => [key, revision]));
      row = differences.length > 0 ? 0 : keys === signature ? row + 1 : 1;
      signature = keys;
      if (row === 1) first = began;
      if (row >= quiet) return Math.max(0, first - over) / 1000;
      const since = Date.now() - over;
      if (since > within * 1000 && !late && row === 0) {
        late = true;
        this.violations.push(
          `not right ${within} s after ${after}: ${differences.join("; ")}`,
        );
        this.arena.tell(`BROKEN: not right after ${within} s`);
      }
      if (since > GIVE_UP || late && this.arena.options.untilFound) return undefined;
      await delay(row > 0 ? 1_000 : 200, this.signal);
    }
    return undefined;
  }

  /** What no fault touches does not end. */
  private judgeRestarts(from: number): void {
    const touched = new Set(this.before);
    for (const { kind } of this.active) for (const part of kind.parts) touched.add(part);
    const owners: Readonly<Record<string, readonly string[]>> = {
      nginx: ["nginx", "confd", "apply", "sweep", "volume"],
      etcd: ["etcd", "keys"],
      // etcd's farewell may end whoever uses its client.
      registrator: ["registrator", "etcd", "keys"],
      dashboard: ["dashboard", "etcd", "keys"],
      "socket-proxy": ["socket-proxy"],
    };
    for (const { name, what, at } of this.arena.eventsSince(from)) {
      if (what !== "die" && what !== "oom") continue;
      const service = Object.keys(owners).find((one) => name === this.hand.name(one as "nginx"));
      if (service === undefined) {
        if (what === "oom") this.violations.push(`${name} ran out of memory`);
        continue;
      }
      if (what === "die" && owners[service]!.some((part) => touched.has(part))) continue;
      this.violations.push(
        `${name} ended (${what}) at ${(at - from).toFixed(0)} ms, and nothing was done to it`,
      );
    }
  }

  /** Tells the arena what may be different at this moment. */
  private excuse(): void {
    if (this.ended) return;
    const now = Date.now();
    const there = this.active.filter(({ kind, over }) =>
      now < over + kind.heals * 1000 * this.arena.options.patience
    );
    this.arena.excuses = {
      blind: there.some(({ kind }) => kind.blinds),
      drops: there.some(({ kind }) => kind.drops !== undefined),
      struck: new Set(there.flatMap(({ kind }) => this.hand.struck(kind.name))),
    };
  }
}

/** A step in words. */
export function stepInWords(step: Step): string {
  const at = `${(step.at / 1000).toFixed(1)} s`;
  return step.what === "scale"
    ? `${at} scale to ${step.to} (${step.leaves})`
    : `${at} ${step.kind} for ${(step.lasts / 1000).toFixed(1)} s`;
}
