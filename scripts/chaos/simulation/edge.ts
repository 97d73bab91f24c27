// The edge: nginx and the files that its scripts share, and the scripts beside it. Owns what is live, not how it gets there.
import type { Entry } from "../../../discovery/etcd/registry.ts";
import { HOSTS, SERVICES } from "../../../discovery/keys.ts";
import { apply } from "./apply.ts";
import { confd } from "./confd.ts";
import type { Link, SimulatedEtcd } from "./etcd.ts";
import { ANSWER, Helper } from "./helper.ts";
import type { Random } from "./random.ts";
import { sweep } from "./sweep.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** What stands in a rendered configuration. */
export interface Content {
  /** Whether any host vouches for what it was made of. */
  readonly vouched: boolean;
  /** Addresses by key. */
  readonly servers: ReadonlyMap<string, string>;
  /** Equal for equal servers. */
  readonly generation: string;
  /** The vouchers with their leases: what the sweep asks for before it renders. */
  readonly vouchers: string;
}

/** A rendered configuration: one object is one file. */
export interface Rendering extends Content {
  readonly at: number;
  /** etcd's revision that it was made of. */
  readonly revision: number;
}

/** Mistakes that the simulation must find, put into the edge by hand. */
export interface Mistakes {
  /** Makes live what nobody vouches for. */
  readonly believesAbsence?: boolean;
  /** Drops what comes too soon after a reload, as confd's min_reload_interval does. */
  readonly losesLast?: boolean;
}

/** The default of RELOAD_MIN_INTERVAL. */
export const RELOAD_MIN_INTERVAL = 100;
/** How often apply looks of its own accord. */
const TICK = 1_000;
const EMPTY: Rendering = {
  vouched: true,
  servers: new Map(),
  generation: "",
  vouchers: "",
  at: -Infinity,
  revision: 0,
};

export class Edge {
  readonly link: Link = { cut: false };
  readonly confd: Helper;
  readonly apply: Helper;
  readonly sweep: Helper;
  rendered: Rendering | undefined;
  candidate: Rendering | undefined;
  /** What nginx.conf holds, what workers answer with, what survives a restart. */
  conf: Rendering = EMPTY;
  serving: Rendering | undefined = EMPTY;
  saved: Rendering = EMPTY;
  /** nginx -t fails. */
  checkFails = false;
  /** nginx's master is stopped: it takes no reload. */
  stuck = false;
  /** Pokes get lost. */
  losesPokes = false;
  /** The watching confd is not told of changes. */
  losesWatch = false;
  /** The revision that the watching confd knows: it is told of later ones. */
  watching: number | undefined;
  /** The watching confd dials again then. */
  redialsAt = -Infinity;
  /** The sweep is about to restart confd: etcd did not answer it, or said something else than confd. */
  doubted = false;
  lastReload = -Infinity;
  /** When the last reload has taken, if nothing keeps it. */
  takesAt = -Infinity;
  private reloadPending = false;
  /** What the templates make of etcd's keys as they stand. */
  private latest: (Content & { readonly version: number }) | undefined;
  private readonly addresses = new WeakMap<Entry, string | undefined>();
  /** Told of each change that confd is not told of. */
  missed: () => void = () => {};
  /** Told of each reload, with what was served before. */
  reloaded: (before: Rendering | undefined, now: Rendering) => void = () => {};

  constructor(
    readonly clock: VirtualClock,
    readonly etcd: SimulatedEtcd,
    readonly random: Random,
    readonly mistakes: Mistakes,
  ) {
    this.confd = new Helper(clock, () => confd(this));
    this.apply = new Helper(clock, () => apply(this));
    this.sweep = new Helper(clock, () => sweep(this));
    etcd.edgeChanged = () => {
      if (this.deaf) this.missed();
      if (!this.losesWatch && !this.link.cut) {
        clock.in(random.between(0, 2), () => this.confd.poke());
      }
    };
  }

  /** Everything that etcd says is live, and no script works at anything. A deaf confd may be among them. */
  get idle(): boolean {
    const { confd, apply, doubted, serving, rendered, candidate } = this;
    if (doubted || confd.busy || apply.busy || apply.waits || rendered !== candidate) return false;
    const { vouched, generation } = this.content();
    return vouched && generation === serving?.generation;
  }

  start(): void {
    for (const helper of [this.apply, this.confd, this.sweep]) helper.start();
  }

  /** Whether a change that etcd makes now would not reach confd. */
  get deaf(): boolean {
    const { confd, watching, etcd } = this;
    return confd.process?.running !== true || this.losesWatch || this.link.cut ||
      this.clock.now() < this.redialsAt || (watching !== undefined && etcd.revision <= watching);
  }

  /** nginx is killed, and with it its container; Docker starts it again. */
  restart(downFor: number): void {
    this.serving = undefined;
    for (const helper of [this.apply, this.confd, this.sweep]) helper.end();
    this.clock.in(downFor, () => {
      if (this.serving) return;
      this.rendered = this.candidate = undefined;
      this.serving = this.conf = this.saved;
      this.reloadPending = false;
      this.redialsAt = -Infinity;
      this.start();
    });
  }

  /** There is a new rendering: apply is poked, or finds it when it looks of its own accord. */
  wrote(): void {
    if (!this.losesPokes) this.apply.poke();
    else this.clock.in(this.random.between(0, TICK), () => this.apply.rouse());
  }

  /** SIGHUP: takes what stands in nginx.conf, soon, or when its master goes on. */
  reload(): void {
    this.reloadPending = true;
    const ms = this.random.between(15, 60);
    this.takesAt = this.clock.now() + ms;
    this.clock.in(ms, () => this.take());
  }

  unstick(): void {
    this.stuck = false;
    this.take();
  }

  /** What etcd holds for the edge; undefined when it does not answer in time. */
  *read(helper: Helper, deadline: number): Generator<
    { readonly kind: "answer" },
    Rendering | undefined,
    boolean
  > {
    let rendering: Rendering | undefined;
    let answered = false;
    this.etcd.request(
      { link: this.link, process: helper.process!, deadline },
      () => this.render(),
      (value) => {
        rendering = value;
        answered = true;
        helper.answer();
      },
    );
    if (!answered) yield ANSWER as { readonly kind: "answer" };
    return rendering;
  }

  /** What stands in etcd now, as the templates render it. */
  render(): Rendering {
    const { vouched, servers, generation, vouchers } = this.content();
    const { revision } = this.etcd;
    const at = this.clock.now();
    return { vouched, servers, generation, vouchers, at, revision };
  }

  /** The same without when it was made. */
  content(): Content {
    const { keys, edgeVersion } = this.etcd;
    if (this.latest?.version === edgeVersion) return this.latest;
    const servers = new Map<string, string>();
    let vouched = false;
    let vouchers = "";
    for (const [key, entry] of keys) {
      if (key.startsWith(HOSTS)) {
        vouched = true;
        vouchers += ` ${key} ${entry.lease} ${entry.value}`;
      }
      if (!key.startsWith(SERVICES)) continue;
      const address = this.addressIn(entry);
      if (address) servers.set(key, address);
    }
    const generation = [...servers].map((pair) => pair.join(" ")).sort().join(",");
    const latest = { version: edgeVersion, vouched, servers, generation, vouchers };
    this.latest = latest;
    return latest;
  }

  private addressIn(entry: Entry): string | undefined {
    let address = this.addresses.get(entry);
    if (address === undefined) {
      address = /"address":"([^"]+)"/.exec(entry.value)?.[1];
      this.addresses.set(entry, address);
    }
    return address;
  }

  /** Whether two files have the same content. */
  same(a: Rendering | undefined, b: Rendering | undefined): boolean {
    if (a === undefined || b === undefined) return a === b;
    if (!a.vouched && !b.vouched && !this.mistakes.believesAbsence) return true;
    return a.vouched === b.vouched && a.generation === b.generation;
  }

  private take(): void {
    if (this.stuck || !this.reloadPending || this.serving === undefined) return;
    this.reloadPending = false;
    const before = this.serving;
    this.serving = this.conf;
    this.reloaded(before, this.conf);
  }
}
