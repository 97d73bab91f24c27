// What the registrator counts: it listens at its engine, registry and probe, and asks how things stand when somebody
// wants to know. Owns the names; the registrator itself knows nothing of it.
import type { Engine } from "../docker/engine.ts";
import type { Registry } from "../etcd/registry.ts";
import type { Finding, Target } from "../registrator/target.ts";
import { exposition, type Family, single } from "./exposition.ts";
import { type Standing, STATES } from "./standing.ts";
import { Tally } from "./tally.ts";

type Probe = (target: Target, signal: AbortSignal) => Promise<Finding>;

/** Counts from its making on. Times in ms. */
export class RegistratorMetrics {
  private readonly events = new Tally<"action">();
  private readonly dockerCalls = new Tally<"call" | "result">();
  private readonly etcdCalls = new Tally<"call" | "result">();
  private readonly writes = new Tally<"op">();
  private readonly probes = new Tally<"kind" | "result">();
  private probing = 0;
  private listed: number | undefined;
  private read: number | undefined;
  private leaseEnds: number | undefined;

  constructor(
    private readonly options: {
      readonly version: string;
      readonly standing: () => Standing;
      /** In ms since 1970. */
      readonly now: () => number;
      readonly startedAt: number;
      readonly memory: () => number;
    },
  ) {}

  /** The same engine, counted. */
  engine(engine: Engine): Engine {
    const { events } = this;
    return {
      list: async (signal) => {
        const rows = await counted(this.dockerCalls, "list", engine.list(signal));
        this.listed = this.options.now();
        return rows;
      },
      inspect: (id, signal) => counted(this.dockerCalls, "inspect", engine.inspect(id, signal)),
      hostName: (signal) => engine.hostName(signal),
      async *events(onOpen, signal) {
        for await (const event of engine.events(onOpen, signal)) {
          events.add({ action: event.action });
          yield event;
        }
      },
    };
  }

  /** The same registry, counted. */
  registry(registry: Registry): Registry {
    const call = <T>(name: string, work: Promise<T>) => counted(this.etcdCalls, name, work);
    const lease = (seconds: number) => {
      this.leaseEnds = this.options.now() + seconds * 1000;
    };
    return {
      list: async (prefix, known) => {
        const entries = await call("list", registry.list(prefix, known));
        this.read = this.options.now();
        return entries;
      },
      revision: () => call("revision", registry.revision()),
      grant: async (ttl) => {
        const id = await call("grant", registry.grant(ttl));
        lease(ttl);
        return id;
      },
      keepAlive: async (id) => {
        const left = await call("keepalive", registry.keepAlive(id));
        lease(left);
        return left;
      },
      revoke: (id) => call("revoke", registry.revoke(id)),
      apply: async (changes, id) => {
        const revision = await call("write", registry.apply(changes, id));
        this.writes.add({ op: "put" }, changes.puts.size);
        this.writes.add({ op: "delete" }, changes.deletes.length);
        return revision;
      },
      watch: (prefix, told, signal) => registry.watch(prefix, told, signal),
      close: () => registry.close(),
    };
  }

  /** The same probe, counted. */
  probe(probe: Probe): Probe {
    return async (target, signal) => {
      const began = performance.now();
      const finding = await probe(target, signal);
      if (signal.aborted) return finding; // nobody waited for it any more
      this.probing += performance.now() - began;
      this.probes.add({ kind: target.check.kind, result: finding.ok ? "pass" : "fail" });
      return finding;
    };
  }

  /** Everything, as Prometheus reads it. */
  text(): string {
    const { version, standing, startedAt, memory } = this.options;
    const { docker, etcd, vouching, containers, ...now } = standing();
    const states = now.states();
    const count = (name: string, help: string, tally: Tally<never>): Family => (
      { kind: "counter", name, help, samples: tally.samples() }
    );
    const seconds = (ms: number | undefined) => ms === undefined ? undefined : ms / 1000;
    return exposition([
      {
        kind: "gauge",
        name: "rollcall_registrator_info",
        help: "Always 1; its label tells what runs.",
        samples: [{ labels: { version }, value: 1 }],
      },
      {
        kind: "gauge",
        name: "rollcall_instances",
        help: "Instances of this host by state; only those that are up get traffic.",
        samples: STATES.map((state) => ({ labels: { state }, value: states.get(state) ?? 0 })),
      },
      single("gauge", "rollcall_containers", "Containers that are known.", containers),
      single("gauge", "rollcall_vouching", "1 when absence may be believed.", Number(vouching)),
      single("gauge", "rollcall_docker_connected", "1 while events are heard.", Number(docker)),
      count("rollcall_docker_events_total", "Events heard.", this.events),
      count("rollcall_docker_requests_total", "Lists and inspections.", this.dockerCalls),
      single(
        "gauge",
        "rollcall_docker_last_list_timestamp_seconds",
        "When all containers were last listed, in Unix time.",
        seconds(this.listed),
      ),
      single("gauge", "rollcall_etcd_connected", "1 while etcd holds the lease.", Number(etcd)),
      count("rollcall_etcd_requests_total", "Calls to etcd.", this.etcdCalls),
      count("rollcall_etcd_writes_total", "Keys written and deleted.", this.writes),
      single(
        "gauge",
        "rollcall_etcd_last_read_timestamp_seconds",
        "When keys were last read from etcd, in Unix time.",
        seconds(this.read),
      ),
      single(
        "gauge",
        "rollcall_lease_expiry_timestamp_seconds",
        "When the lease ends unless it is renewed, in Unix time.",
        seconds(this.leaseEnds),
      ),
      count("rollcall_probes_total", "Probes of instances.", this.probes),
      single(
        "counter",
        "rollcall_probe_seconds_total",
        "Time that probes took, all together.",
        this.probing / 1000,
      ),
      single(
        "gauge",
        "process_start_time_seconds",
        "Start of the process, in Unix time.",
        startedAt / 1000,
      ),
      single(
        "gauge",
        "process_resident_memory_bytes",
        "Resident memory of the process.",
        memory(),
      ),
    ]);
  }
}

async function counted<T>(
  tally: Tally<"call" | "result">,
  call: string,
  work: Promise<T>,
): Promise<T> {
  try {
    const result = await work;
    tally.add({ call, result: "ok" });
    return result;
  } catch (error) {
    tally.add({ call, result: "error" });
    throw error;
  }
}
