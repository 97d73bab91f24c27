// The page on a free port of this machine, with a registry and an nginx in memory behind it. For tests; owns no assertion.
import { MemoryRegistry } from "../../etcd/memory_registry.ts";
import type { State } from "../../instance.ts";
import { hostKey, serviceKey, statusKey } from "../../keys.ts";
import type { Log } from "../../log.ts";
import { decodeRegistration, encode } from "../../registration.ts";
import { createApp } from "../app.ts";
import { Dashboard } from "../dashboard.ts";
import type { EdgeSource, EdgeTotals, Generation } from "../edge_source.ts";
import { RegistryKeySource } from "../key_source.ts";
import { PREFIXES } from "../serve.ts";

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** An nginx that serves what stands in the registry, from the next question on. */
class MemoryEdge implements EdgeSource {
  /** Thrown by every call while set: nginx is away. */
  failure: Error | undefined;
  /** Lines of the next traffic. */
  lines: string[] = [];
  private name = "";
  private at = 0;

  constructor(private readonly registry: MemoryRegistry) {}

  async generation(): Promise<Generation> {
    if (this.failure) throw this.failure;
    const name = [...await this.addresses()].join();
    if (name !== this.name || this.at === 0) [this.name, this.at] = [name, Date.now()];
    return { name: `${name.length}`.padStart(12, "a") + name, at: this.at };
  }

  async addresses(): Promise<ReadonlySet<string>> {
    const addresses = new Set<string>();
    for (const [key, { value }] of await this.registry.list("/services/")) {
      const found = decodeRegistration(key, value);
      if (found) addresses.add(`${found.address}:${found.port}`);
    }
    return addresses;
  }

  traffic(): Promise<readonly string[]> {
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve(this.lines.splice(0));
  }

  totals(): Promise<EdgeTotals> {
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve({ connections: undefined, counts: new Map([["reloads", 3]]) });
  }
}

/** An instance as a test names it. */
export interface Sample {
  readonly service?: string;
  readonly number: number;
  readonly state?: State;
  readonly reason?: string;
}

/** Serves from its making until it is disposed of. */
export class Stage implements AsyncDisposable {
  readonly registry = new MemoryRegistry();
  readonly edge = new MemoryEdge(this.registry);
  readonly url: string;
  private readonly port: number;
  private stop = new AbortController();
  private running: Promise<unknown>;

  constructor() {
    this.registry.put(
      hostKey("vm"),
      encode({ host: "vm", version: "0.1.0", since: new Date().toISOString() }),
    );
    const { port, running } = this.serve(0);
    this.port = port;
    this.running = running;
    this.url = `http://localhost:${port}/`;
  }

  /** Writes an instance as a registrator would. */
  put({ service = "web", number, state = "up", reason = "" }: Sample): void {
    const container = `shop-${service}-${number}`;
    const instance = `vm:${container}:8080`;
    const since = new Date().toISOString();
    const key = serviceKey(service, instance);
    if (state === "up") {
      this.registry.put(
        key,
        encode({
          address: addressOf(number),
          port: 8080,
          protocol: "tcp",
          weight: 1,
          tags: [],
          attrs: {},
          host: "vm",
          container,
          image: "shop",
          routes: [],
          since,
        }),
      );
    } else this.registry.delete(key);
    const status = { state, reason, since, container, service, instance };
    this.registry.put(this.statusKey(service, number), encode(status));
  }

  /** Deletes an instance as a registrator would. */
  remove({ service = "web", number }: Sample): void {
    this.registry.delete(serviceKey(service, `vm:shop-${service}-${number}:8080`));
    this.registry.delete(this.statusKey(service, number));
  }

  /** Requests that nginx logged for an instance, each of so many ms. */
  request(number: number, count: number, ms: number, status = 200): void {
    const line = `${addressOf(number)}:8080\t${(ms / 1000).toFixed(3)}\t${status}`;
    for (let i = 0; i < count; i++) this.edge.lines.push(line);
  }

  /** Ends the server and its connections. */
  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  /** Another server on the same port, that knows nothing of the one before. */
  again(): void {
    this.stop = new AbortController();
    this.running = this.serve(this.port).running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  private statusKey(service: string, number: number): string {
    return statusKey("vm", `${service}${number}`.padStart(64, "0"), "8080");
  }

  private serve(port: number): { port: number; running: Promise<unknown> } {
    const { signal } = this.stop;
    const dashboard = new Dashboard({
      keys: new RegistryKeySource(this.registry, PREFIXES),
      edge: this.edge,
      registrator: () => Promise.resolve({ docker: true, etcd: true }),
      log: SILENT,
    });
    const app = createApp({ dashboard, version: "0.1.0", signal });
    const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, app.fetch);
    return {
      port: server.addr.port,
      running: Promise.all([
        dashboard.run(signal).then(() => server.shutdown()),
      ]),
    };
  }
}

function addressOf(number: number): string {
  return `10.0.${number >> 8}.${number & 255}`;
}
