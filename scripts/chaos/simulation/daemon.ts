// The real registrator in virtual time: started, stopped, hung and killed. Owns its surroundings, not a line of what it does.
import type { Log } from "../../../discovery/log.ts";
import type { Entry } from "../../../discovery/etcd/registry.ts";
import { hostKey, SERVICES, STATUS } from "../../../discovery/keys.ts";
import { Registrator } from "../../../discovery/registrator/registrator.ts";
import type { Target } from "../../../discovery/registrator/target.ts";
import type { SimulatedDocker } from "./docker.ts";
import type { DockerPath } from "./docker_view.ts";
import type { Link, SimulatedEtcd } from "./etcd.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** The production defaults, in s and ms. */
export const TTL = 15;
export const RESYNC = 30_000;

/** When all is well it waits for the next resyncs of keys and of Docker, the next look at the lease and at who is drained. */
const LOOKS = 4;

export interface DaemonOptions {
  readonly clock: VirtualClock;
  readonly docker: SimulatedDocker;
  readonly path: DockerPath;
  readonly etcd: SimulatedEtcd;
  readonly random: Random;
  /** Told whenever real code has something to do: its promises must be given time. */
  readonly woken: () => void;
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** One registrator after the other. */
export class Daemon {
  readonly link: Link = { cut: false };
  private process: Process | undefined;
  private registrator: Registrator | undefined;
  /** When the one at work was started, or had read what its predecessor left, in ms. */
  startedAt = -Infinity;
  private stopping = new AbortController();
  /** It has read what its predecessor left. */
  private inherited = false;

  constructor(private readonly options: DaemonOptions) {}

  get running(): boolean {
    return this.process !== undefined;
  }

  /** It vouches, and waits for nothing but the next of its looks and probes. */
  get idle(): boolean {
    const { process, registrator, options: { etcd, docker } } = this;
    return process?.running === true && process.asking === 0 &&
      process.pending === LOOKS + docker.probed && registrator!.healthy &&
      etcd.lasts(hostKey("h")) > TTL * 1000 / 2;
  }

  start(): void {
    const { clock, docker, path, etcd, random, woken } = this.options;
    if (this.process) return;
    this.startedAt = clock.now();
    this.inherited = false;
    // What it knows of who is leaving is what it reads.
    for (const box of docker.boxes) box.knownLeavingAt = undefined;
    const process = this.process = new Process(clock, woken);
    const registrator = this.registrator = new Registrator({
      engine: path.engine(process),
      registry: etcd.registry(process, this.link, (...seen) => this.read(...seen)),
      probe: (target) =>
        new Promise((resolve) => {
          const ok = this.answers(target);
          const finding = { ok, detail: ok ? "connected" : "connection refused" };
          process.in(random.between(0, 2), () => resolve(finding));
        }),
      host: "h",
      networks: ["edge"],
      explicit: false,
      tags: [],
      ttl: TTL,
      resync: RESYNC,
      version: "0.1.0",
      log: SILENT,
      wait: process.wait,
      now: clock.now,
    });
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    process.deliver(() => void registrator.run(signal));
  }

  /** SIGTERM: it ends by itself, at once where nothing keeps it. */
  end(): void {
    const { process, stopping } = this;
    this.process = undefined;
    process?.deliver(() => stopping.abort());
    process?.in(50, () => process.kill());
  }

  /** SIGKILL. */
  kill(): void {
    this.process?.kill();
    this.process = undefined;
  }

  /** SIGSTOP and SIGCONT. */
  stop(): void {
    this.process?.stop();
  }

  go(): void {
    this.process?.go();
  }

  private answers({ address, containerId }: Target): boolean {
    const box = this.options.docker.box(containerId);
    if (box === undefined) return false;
    const { running, paused, networks } = box.container;
    return running && !paused && box.listening && networks[0]!.address === address;
  }

  /** A successor knows who is leaving by what its predecessor wrote, and by nothing else. */
  private read(prefix: string, entries: ReadonlyMap<string, Entry>): void {
    if (this.inherited) return;
    if (prefix === SERVICES) {
      this.inherited = true;
      this.startedAt = this.options.clock.now();
    }
    if (!prefix.startsWith(STATUS)) return;
    const { docker, clock } = this.options;
    for (const box of docker.boxes) box.knownLeavingAt = undefined;
    for (const [key, { value }] of entries) {
      if (!value.includes('"state":"draining"')) continue;
      const box = docker.box(key.split("/")[4]!);
      if (box?.killedAt === undefined || since(value) < box.killedAt) continue;
      box.knownLeavingAt = clock.now();
    }
  }
}

function since(status: string): number {
  return Date.parse(/"since":"([^"]+)"/.exec(status)?.[1] ?? "");
}
