// Asks etcd, nginx and the registrator again and again, and tells whoever watches. Owns the order of things, no looks.
import { delay } from "../delay.ts";
import { Doorbell } from "../doorbell.ts";
import { type Log, messageOf } from "../log.ts";
import { Board, type Change } from "./board.ts";
import { chainOf, type Facts } from "./chain.ts";
import type { EdgeSource } from "./edge_source.ts";
import { Feed } from "./feed.ts";
import { History } from "./history.ts";
import type { KeySource } from "./key_source.ts";
import { EdgeMetrics } from "./edge_metrics.ts";
import { Traffic, triesIn } from "./traffic.ts";

/** What the registrator says of itself. */
export interface RegistratorHealth {
  readonly docker: boolean;
  readonly etcd: boolean;
}

/** What the dashboard needs from outside. */
export interface DashboardOptions {
  readonly keys: KeySource;
  readonly edge: EdgeSource;
  /** Asks a registrator how it is; throws when it does not answer. */
  readonly registrator?: (() => Promise<RegistratorHealth>) | undefined;
  readonly log: Log;
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Tells the time in ms since 1970, on the clock of the other parts. */
  readonly now?: () => number;
}

/** How often etcd is asked for its revision: while somebody watches, and while nobody does. */
const WATCHED = 200;
const UNWATCHED = 1_000;
/** How often nginx is asked what is live while a change is on its way. */
const ON_ITS_WAY = 100;
const EACH_SECOND = 1_000;
/** An instance of whose requests at least this part comes to nothing is shown as one that does not answer. */
const SILENT = 0.5;

/** The page's knowledge, kept up to date while `run` runs. */
export class Dashboard {
  readonly feed: Feed;
  private readonly board = new Board();
  private readonly history = new History();
  private readonly traffic: Traffic;
  private readonly counted = new EdgeMetrics();
  private readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  private readonly now: () => number;
  private readonly keysBell: Doorbell;
  private readonly edgeBell: Doorbell;
  private etcd: Facts["etcd"] = { took: undefined };
  private nginx: Facts["edge"] = { generation: undefined };
  private live: { addresses: ReadonlySet<string>; at: number } = { addresses: new Set(), at: 0 };
  private behindSince: number | undefined;
  private readonly left = new Map<string, number>();
  private health: RegistratorHealth | undefined;
  private answered = false;
  private watchers = 0;
  private news = Promise.withResolvers<void>();
  /** Counts the seconds, so that a watcher knows whether there are new rates. */
  seconds = 0;

  constructor(private readonly options: DashboardOptions) {
    this.wait = options.wait ?? delay;
    this.now = options.now ?? Date.now;
    this.traffic = new Traffic(this.now());
    this.keysBell = new Doorbell(this.wait);
    this.edgeBell = new Doorbell(this.wait);
    this.feed = new Feed(this.board, this.history);
  }

  /** Asks until the signal fires; errors are shown, logged and tried again, never thrown. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.followKeys(signal),
      this.followEdge(signal),
      this.each(EACH_SECOND, signal, () => this.readTraffic()),
      this.each(2 * EACH_SECOND, signal, () => this.askRegistrators()),
      this.each(EACH_SECOND, signal, () => this.second()),
    ]);
    this.tell();
  }

  /** Somebody watches from now on; call what is returned when not any more. */
  watch(): () => void {
    this.watchers++;
    this.keysBell.ring();
    return () => this.watchers--;
  }

  /** How many watch. */
  get watched(): number {
    return this.watchers;
  }

  /** Resolves when there is something new, after about a second at the latest. */
  next(): Promise<void> {
    return this.news.promise;
  }

  /** What was counted since the start, and how things stand, as Prometheus reads it. */
  async metrics(): Promise<string> {
    const { edge } = this.options;
    const { missing, extra } = this.behind(this.now());
    return this.counted.text({
      totals: await edge.totals().catch(() => undefined),
      up: this.nginx.generation !== undefined,
      etcd: this.etcd.error === undefined && this.etcd.took !== undefined,
      live: this.live.at === 0 ? undefined : this.live.at,
      ...{ instances: this.live.addresses.size, missing, extra, browsers: this.watchers },
    });
  }

  private tell(): void {
    this.news.resolve();
    this.news = Promise.withResolvers<void>();
  }

  private async followKeys(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now();
      try {
        const changes = await this.options.keys.changes();
        if (this.etcd.error !== undefined) this.options.log.info("etcd answers again");
        this.etcd = { took: performance.now() - began };
        this.board.take(changes, this.now());
        this.answered = true;
        if (changes.size > 0) {
          this.edgeBell.ring();
          this.tell();
        }
        await this.keysBell.rings(this.watchers > 0 ? WATCHED : UNWATCHED, signal);
      } catch (error) {
        const message = messageOf(error);
        if (this.etcd.error === undefined) {
          this.options.log.warn("waiting for etcd", { error: message });
        }
        this.etcd = { error: message, took: undefined };
        await this.wait(UNWATCHED, signal);
      }
    }
  }

  private async followEdge(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { name, at } = await this.options.edge.generation();
        if (name !== this.nginx.generation) {
          this.live = { addresses: await this.options.edge.addresses(), at };
        }
        this.nginx = { generation: name };
        const before = this.board.version;
        for (const change of this.board.live(this.live, this.now())) this.note(change, name);
        if (this.board.version !== before) this.tell();
        await this.edgeBell.rings(this.board.unsettled ? ON_ITS_WAY : EACH_SECOND, signal);
      } catch (error) {
        const message = messageOf(error);
        if (this.nginx.error === undefined) {
          this.options.log.warn("waiting for nginx", { error: message });
        }
        this.nginx = { error: message, generation: undefined };
        await this.wait(EACH_SECOND, signal);
      }
    }
  }

  /** The last line of a change's way through the logs. */
  private note({ id, service, name, to, live }: Change, generation: string): void {
    this.options.log.info("change live", {
      ...{ change: id, service, container: name, to: to || "gone" },
      ...{ generation: generation.slice(0, 12), live_ms: live },
    });
  }

  private async readTraffic(): Promise<void> {
    try {
      const tries = triesIn(await this.options.edge.traffic());
      this.traffic.take(tries, this.now());
      this.counted.take(tries, this.board.rows(), this.now());
    } catch {
      this.traffic.forget(this.now()); // that nginx does not answer is said elsewhere
    }
    const rates = this.traffic.rates();
    this.feed.showRates(rates);
    const silent = [...rates ?? []].filter(([, { silent }]) => silent >= SILENT);
    const before = this.board.version;
    this.board.silent(new Set(silent.map(([address]) => address)));
    if (this.board.version !== before) this.tell();
  }

  private async askRegistrators(): Promise<void> {
    const { keys, registrator } = this.options;
    this.health = await registrator?.().catch(() => undefined);
    for (const { host, lease } of this.board.hosts()) {
      const left = await keys.secondsLeft(lease).catch(() => undefined);
      if (left === undefined) this.left.delete(host);
      else this.left.set(host, left);
    }
  }

  private second(): void {
    const now = this.now();
    const { missing, extra } = this.behind(now);
    this.feed.showChain(chainOf({
      etcd: this.etcd,
      hosts: this.board.hosts().map(({ host, version }) => (
        { host, version, left: this.left.get(host) }
      )),
      registrator: this.health,
      edge: this.nginx,
      behind: { missing, extra, since: now - (this.behindSince ?? now) },
      wanted: this.board.wanted().size,
    }));
    let up = 0;
    let out = 0;
    for (const { row: { state } } of this.board.rows()) state === "up" ? up++ : out++;
    const rates = this.traffic.rates();
    const requests = rates && [...rates.values()].reduce((sum, rate) => sum + rate.requests, 0);
    // Before etcd has answered nothing is known, which is not the same as nobody in rotation.
    if (this.answered) this.history.add({ at: now, up, out, requests });
    if (this.seconds++ % 2 === 0) this.feed.showHistory(now);
    this.tell();
  }

  /** What nginx lacks and has too much, and since when that is so. */
  private behind(now: number): { missing: number; extra: number } {
    const wanted = this.board.wanted();
    const missing = [...wanted].filter((address) => !this.live.addresses.has(address)).length;
    const extra = [...this.live.addresses].filter((address) => !wanted.has(address)).length;
    if (missing + extra === 0) this.behindSince = undefined;
    else this.behindSince ??= now;
    return { missing, extra };
  }

  private async each(
    ms: number,
    signal: AbortSignal,
    work: () => Promise<void> | void,
  ): Promise<void> {
    while (!signal.aborted) {
      await work();
      await this.wait(ms, signal);
    }
  }
}
