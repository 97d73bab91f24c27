// From what is known to what a browser gets: the whole page once, then what is new since its cursor. Owns no polling.
import type { Board, Placed } from "./board.ts";
import type { Link } from "./chain.ts";
import { chartHtml } from "./chart.ts";
import { chainHtml, clean, rowHtml, serviceHtml, spoken, timelineHtml } from "./fragments.ts";
import type { History } from "./history.ts";
import type { PageParts } from "./page.ts";
import type { Rate } from "./traffic.ts";

/** What a browser applies to be up to date. static/client.js reads it. */
export interface Update {
  /** Where the browser is then; it names it when it asks again. */
  readonly cursor: string;
  /** Forget every row first. */
  readonly all: boolean;
  readonly removed: readonly string[];
  /** Service and heading. */
  readonly services: ReadonlyArray<readonly [string, string]>;
  /** Services without rows. */
  readonly gone: readonly string[];
  /** Service and row. */
  readonly rows: ReadonlyArray<readonly [string, string]>;
  readonly chain?: string;
  readonly charts?: string;
  readonly timeline?: string;
  readonly summary: string;
  readonly news?: string;
}

/** Requests per second and latency in ms as they are shown, by row. */
export type Rates = Readonly<Record<string, readonly [string, string]>>;

interface Piece {
  readonly html: string;
  readonly version: number;
}

/** One server's view. Its cursors are of no use to the next one. */
export class Feed {
  private readonly start = crypto.randomUUID().slice(0, 8);
  private chain: Piece = { html: "", version: 0 };
  private charts: Piece = { html: "", version: 0 };
  private rates: ReadonlyMap<string, Rate> | undefined;

  constructor(private readonly board: Board, private readonly history: History) {}

  /** Takes the chain as it is now. */
  showChain(chain: readonly Link[]): void {
    const html = chainHtml(chain);
    if (html !== this.chain.html) this.chain = { html, version: this.board.advance() };
  }

  /** Draws the history anew. `now` in ms since 1970. */
  showHistory(now: number): void {
    const samples = this.history.samples();
    const up = samples.map(({ at, up }) => ({ at, value: up }));
    const requests = samples.flatMap(({ at, requests }) =>
      requests === undefined ? [] : [{ at, value: requests }]
    );
    const html = chartHtml("Instances in rotation", up, now) +
      chartHtml("Requests per second", requests, now);
    if (html !== this.charts.html) this.charts = { html, version: this.board.advance() };
  }

  /** Takes the rates by address. */
  showRates(rates: ReadonlyMap<string, Rate> | undefined): void {
    this.rates = rates;
  }

  /** What the page is made of. */
  page(): Omit<PageParts, "version"> {
    return {
      cursor: this.cursor,
      chain: this.chain.html,
      charts: this.charts.html,
      timeline: timelineHtml(this.board.changes().changes),
      services: [...this.board.services()].map(([service, rows]) => ({
        name: clean(service),
        html: heading(service, rows) + rows.map(rowHtml).join(""),
      })),
      summary: this.summary(),
    };
  }

  /** What is new since a cursor; undefined: nothing. A cursor that is not ours gets everything. */
  since(cursor: string): Update | undefined {
    if (cursor === this.cursor) return undefined;
    const [start, number] = cursor.split("-");
    const asked = start === this.start && /^\d{1,15}$/.test(number ?? "") ? Number(number) : -1;
    const removed = asked < 0 ? undefined : this.board.removedSince(asked);
    const all = removed === undefined;
    const version = all ? -1 : asked;
    const services = this.board.services();
    const touched = new Set(removed?.map(({ service }) => service));
    const rows: Array<readonly [string, string]> = [];
    for (const [service, placed] of services) {
      for (const row of placed) {
        if (row.version <= version) continue;
        rows.push([clean(service), rowHtml(row)]);
        touched.add(service);
      }
    }
    const { changes, version: changed } = this.board.changes();
    const [newest] = changes;
    return {
      cursor: this.cursor,
      all,
      removed: removed?.map(({ tag }) => tag) ?? [],
      services: [...services].filter(([service]) => touched.has(service)).map(
        ([service, placed]) => [clean(service), heading(service, placed)] as const,
      ),
      gone: [...touched].filter((service) => !services.has(service)).map((service) =>
        clean(service)
      ),
      rows,
      ...this.chain.version > version && { chain: this.chain.html },
      ...this.charts.version > version && { charts: this.charts.html },
      ...changed > version && { timeline: timelineHtml(changes) },
      ...changed > version && newest && !all && { news: spoken(newest) },
      summary: this.summary(),
    };
  }

  /** The rates of the rows that get requests. */
  ratesNow(): Rates {
    const shown: Record<string, readonly [string, string]> = {};
    if (this.rates === undefined) return shown;
    for (const { tag, row } of this.board.rows()) {
      const rate = this.rates.get(row.address);
      if (rate) shown[tag] = [rounded(rate.requests), rounded(rate.latency)];
      else if (row.state === "up") shown[tag] = ["0", ""];
    }
    return shown;
  }

  private get cursor(): string {
    return `${this.start}-${this.board.version}`;
  }

  private summary(): string {
    let up = 0;
    let out = 0;
    for (const { row: { state } } of this.board.rows()) state === "up" ? up++ : out++;
    return `${up} in rotation, ${out} not`;
  }
}

function heading(service: string, rows: readonly Placed[]): string {
  return serviceHtml(service, rows.map(({ row }) => row));
}

function rounded(value: number): string {
  return value >= 9.95 ? String(Math.round(value)) : value.toFixed(1);
}
