// Looks at the stack every second, and follows Docker's events. Judges nothing: see promises.ts.
import { delay } from "../../../discovery/delay.ts";
import { STATUS } from "../../../discovery/keys.ts";
import { etcdGateway } from "../faults/etcd_gateway.ts";
import { strangersOf } from "../faults/instances.ts";
import { EngineView, type Happened, type Seen } from "./engine_view.ts";
import { fetchText, inTime } from "./fetch_text.ts";
import { edgeOf, type Look, PORT } from "./look.ts";

/** Memory of a container at a moment. */
export interface Sample {
  readonly at: number;
  readonly name: string;
  readonly bytes: number;
  /** Of its limit. */
  readonly share: number;
}

const EVERY = 1_000;
/** Whose memory is looked at. Instances come and go. */
const MEASURED = new Set(["nginx", "etcd", "registrator", "socket-proxy", "dashboard"]);
const SAMPLE_EVERY = 10_000;
/** SIGINT, SIGQUIT, SIGKILL, SIGTERM: whoever gets one of them leaves. */
const STOPS = new Set([2, 3, 9, 15]);

export class Observer implements AsyncDisposable {
  readonly samples: Sample[] = [];
  readonly events: Happened[] = [];
  private readonly leaving = new Set<string>();
  private readonly engine: EngineView;
  private readonly stop = new AbortController();
  private readonly work: Promise<unknown>;
  private lastSample = 0;

  /** Begins at once. `tell` gets every look, `failed` why one could not be taken. */
  constructor(
    private readonly project: string,
    private readonly tell: (look: Look) => void,
    private readonly failed: (error: Error) => void,
  ) {
    this.engine = new EngineView([
      `com.docker.compose.project=${project}`,
      strangersOf(project),
    ]);
    const { signal } = this.stop;
    const following = this.engine.follow((happened) => this.heard(happened), signal);
    this.work = Promise.all([following.catch(this.failed), this.observe(signal)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await inTime(this.work, 5_000, "the observer's end").catch(this.failed);
    this.engine[Symbol.dispose]();
  }

  private heard(happened: Happened): void {
    this.events.push(happened);
    const { what, id, signal } = happened;
    if (what === "kill" && STOPS.has(signal ?? 0)) this.leaving.add(id);
    if (what === "start") this.leaving.delete(id);
  }

  private async observe(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = Date.now();
      try {
        this.tell(await this.look());
        if (began - this.lastSample >= SAMPLE_EVERY) {
          this.lastSample = began;
          await this.sample();
        }
      } catch (error) {
        this.failed(error as Error);
      }
      await delay(Math.max(50, EVERY - (Date.now() - began)), signal);
    }
  }

  /** Takes a look now. */
  async look(): Promise<Look> {
    const all = await this.engine.list();
    const [instances = [], others = []] = [true, false].map((is) =>
      all.filter(({ service }) => (service === "service") === is)
    );
    const [edge, keys, passing] = await Promise.all([
      this.askEdge(others).catch(() => undefined),
      this.askEtcd(others).catch(() => undefined),
      this.askInstances(instances),
    ]);
    const leaving = new Set(this.leaving);
    return { at: Date.now(), instances, others, passing, leaving, edge, keys };
  }

  private async askEdge(others: readonly Seen[]) {
    const nginx = others.find(({ service }) => service === "nginx");
    const [address] = nginx?.state === "running" ? nginx.addresses.values() : [];
    if (address === undefined) throw new Error("nginx has no address");
    const [configuration, generation] = await Promise.all([
      fetchText(`http://${address}:8081/configuration`, { within: 1_000 }),
      fetchText(`http://${address}:8081/generation`, { within: 1_000 }),
    ]);
    return edgeOf(configuration, generation);
  }

  private async askEtcd(others: readonly Seen[]) {
    const etcd = others.find(({ service }) => service === "etcd");
    const [address] = etcd?.state === "running" ? etcd.addresses.values() : [];
    if (address === undefined) throw new Error("etcd has no address");
    const gateway = etcdGateway(`http://${address}:2379`);
    const [services, rollcall] = await Promise.all([
      gateway.get("/services/service/"),
      gateway.get("/rollcall/"),
    ]);
    // Others on this machine have statuses too.
    const own = rollcall.filter(({ key, value }) =>
      !key.startsWith(STATUS) || value.includes(this.project)
    );
    return [...services, ...own];
  }

  private async askInstances(instances: readonly Seen[]): Promise<ReadonlySet<string>> {
    const passing = new Set<string>();
    await Promise.all(instances.map(async ({ id, state, addresses }) => {
      const address = addresses.get(`${this.project}_edge`);
      if (state !== "running" || address === undefined) return;
      const asked = fetchText(`http://${address}:${PORT}/readyz`, { within: 1_000 });
      await asked.then(() => passing.add(id), () => {});
    }));
    return passing;
  }

  private async sample(): Promise<void> {
    const at = Date.now();
    const running = (await this.engine.list()).filter(({ state }) => state === "running");
    await Promise.all(running.map(async ({ id, service }) => {
      if (!MEASURED.has(service)) return;
      const memory = await this.engine.memory(id).catch(() => undefined);
      if (memory && memory.bytes > 0) this.samples.push({ at, name: service, ...memory });
    }));
  }
}
