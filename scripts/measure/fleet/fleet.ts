// A hundred Docker hosts that only look so, each with the registrator's real code, on one real etcd with one real edge.
// Owns what it starts, and no figure.
import { Edge } from "../../../nginx/testing/edge.ts";
import { eventually } from "../../testing/docker.ts";
import { LiveLog } from "../edge/live_log.ts";
import { EtcdWatch } from "../edge/etcd_watch.ts";
import { SimulatedEngine } from "../simulated_engine.ts";
import { Crew } from "./crew.ts";
import type { Change } from "./lags.ts";

/** How large it is. Each host has one instance of each service, as long as there are services enough. */
export interface Size {
  readonly hosts: number;
  /** On each host. */
  readonly instances: number;
  readonly services: number;
}

/** Processes that share the registrators: in one alone they would wait for each other longer than etcd's deadlines. */
const CREWS = 10;
/** Containers of a host are numbered from its own thousand on. */
const ROOM = 10_000;

/** A host: its Engine, and the registrator that watches it. */
export class Host {
  readonly name: string;
  readonly engine: SimulatedEngine;
  private running: number[] = [];
  private next: number;

  constructor(index: number, size: Size, published: string) {
    this.name = `host-${index}`;
    const service = (container: number) => `s${container % size.services}`;
    this.engine = new SimulatedEngine({ service, published });
    this.next = index * ROOM;
    for (let i = 0; i < size.instances; i++) this.start();
  }

  /** One more container. */
  start(): Change {
    const index = this.next++;
    this.running.push(index);
    const at = performance.timeOrigin + performance.now();
    return { container: this.engine.start(index), kind: "start", at };
  }

  /** The one that was started last ends. */
  stop(): Change {
    const index = this.running.pop();
    if (index === undefined) throw new Error(`Cannot stop a container: ${this.name} has none left`);
    const at = performance.timeOrigin + performance.now();
    return { container: this.engine.stop(index), kind: "stop", at };
  }
}

/** Starts in steps, so that each can be timed. */
export class Fleet implements AsyncDisposable {
  readonly hosts: readonly Host[];
  /** The processes that the registrators run in. */
  readonly crews: readonly Crew[];
  private ending: Promise<void> | undefined;
  private failed: Error | undefined;
  private started = 0;

  private constructor(
    private readonly edge: Edge,
    readonly size: Size,
    readonly etcdUrl: string,
    readonly log: LiveLog,
    readonly services: EtcdWatch,
    readonly vouchers: EtcdWatch,
    /** All hosts are this machine, and each instance has a port of it. */
    private readonly address: string,
  ) {
    this.hosts = Array.from({ length: size.hosts }, (_, i) => new Host(i, size, address));
    this.crews = Array.from({ length: CREWS }, () => new Crew());
    for (const crew of this.crews) {
      crew.ended.then((how) =>
        this.failed ??= new Error(`Cannot go on: registrators ended, ${how}`)
      );
    }
  }

  /** etcd and the edge, as large as compose.yaml lets them be; the hosts' containers run, and nobody looks at them. */
  static async prepare(size: Size): Promise<Fleet> {
    const edge = await Edge.build();
    try {
      await edge.startEtcd({ onDisk: true, flags: COMPOSE_FLAGS });
      await edge.start();
      for (const part of ["etcd", "edge"]) {
        const memory = ["--memory", "512m", "--memory-swap", "512m"];
        await edge.docker("update", part, ...memory, "--cpu-shares", "8192");
      }
      const url = await edge.etcdUrl();
      const watches = await Promise.all(
        ["/services/", "/rollcall/hosts/"].map((prefix) => EtcdWatch.open(url, prefix)),
      );
      const log = new LiveLog(`${edge.name}-edge`);
      return new Fleet(edge, size, url, log, watches[0]!, watches[1]!, await edge.gateway());
    } catch (error) {
      await edge[Symbol.asyncDispose]();
      throw error;
    }
  }

  get edgeContainer(): string {
    return `${this.edge.name}-edge`;
  }

  get etcdContainer(): string {
    return `${this.edge.name}-etcd`;
  }

  /**
   * Starts all registrators, `atOnce` at the same time: each host of a real fleet has a processor of its own. Resolves
   * when each has vouched for its host.
   */
  async start(atOnce: number): Promise<void> {
    const waiting = [...this.hosts];
    const next = async () => {
      for (let host = waiting.shift(); host; host = waiting.shift()) await this.startOne(host);
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  }

  private async startOne({ name, engine }: Host): Promise<void> {
    const crew = this.crews[this.started++ % this.crews.length]!;
    await crew.start({
      ...{ docker: engine.url, etcd: this.etcdUrl, host: name, published: this.address },
    });
    await eventually(() => {
      if (this.failed && !this.ending) throw this.failed;
      const vouched = this.vouchers.events.some(({ key }) => key.endsWith(`/${name}`));
      if (!vouched && !this.ending) throw new Error(`${name} is not vouched for`);
    }, { within: 120_000, every: 20 });
  }

  /** etcd is gone until it is started again. */
  async killEtcd(): Promise<void> {
    await this.edge.docker("kill", "etcd");
  }

  /** After killEtcd: with its data. What watched it hears nothing any more. */
  async startEtcd(): Promise<void> {
    await this.edge.docker("start", "etcd");
    const url = await this.edge.etcdUrl();
    if (url !== this.etcdUrl) throw new Error(`Cannot go on: etcd is at ${url} now`);
  }

  /** How many keys etcd has below /services. Throws when it does not answer. */
  async registered(): Promise<number> {
    const range = { key: btoa("/services/"), range_end: btoa("/services0"), count_only: true };
    const response = await fetch(`${this.etcdUrl}/v3/kv/range`, {
      method: "POST",
      body: JSON.stringify(range),
      signal: AbortSignal.timeout(1_000),
    });
    return Number((await response.json()).count);
  }

  /** Removes everything that it has made. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.ending ??= this.end();
  }

  private async end(): Promise<void> {
    await Promise.allSettled(this.crews.map((crew) => crew.end()));
    await Promise.allSettled(this.hosts.map(({ engine }) => engine.close()));
    this.services.stop();
    this.vouchers.stop();
    await this.log.stop().catch(() => {}); // it may have ended with us
    await this.edge[Symbol.asyncDispose]();
  }
}

/** As in compose.yaml. */
const COMPOSE_FLAGS = [
  "--auto-compaction-mode=periodic",
  `--auto-compaction-retention=${
    /ETCD_AUTO_COMPACTION_RETENTION: (\S+)/.exec(
      Deno.readTextFileSync(new URL("../../../compose.yaml", import.meta.url)),
    )![1]
  }`,
];
