// A registry with two services for the tests of the commands, and a context around it. Owns nothing that runs in production.
import { MemoryEngine } from "../docker/memory_engine.ts";
import { MemoryRegistry } from "../etcd/memory_registry.ts";
import type { State } from "../instance.ts";
import { drainKey, hostKey, serviceKey, statusKey } from "../keys.ts";
import { encode } from "../registration.ts";
import type { Context } from "./context.ts";
import type { Edge } from "./edge.ts";

export const NOW = Date.parse("2026-11-23T03:00:00.000Z");
export const SINCE = new Date(NOW - 180_000).toISOString();

/** What a registrator of `host` writes. */
export class SampleRegistry extends MemoryRegistry {
  instance(
    service: string,
    container: string,
    state: State,
    more: {
      readonly host?: string;
      readonly reason?: string;
      readonly weight?: number;
      readonly byHand?: true;
      readonly routes?: Array<{ host: string; path: string }>;
    } = {},
  ): this {
    const { host = "h", reason = "It says so.", weight = 1, byHand, routes = [] } = more;
    const instance = `${host}:${container}:80`;
    const status = { state, reason, since: SINCE, container, service, instance };
    this.put(
      statusKey(host, `id-${container}`, "80"),
      encode({ ...status, ...(byHand ? { byHand } : {}) }),
    );
    if (state !== "up") {
      this.delete(serviceKey(service, instance));
      return this;
    }
    this.put(
      serviceKey(service, instance),
      encode({
        ...{ address: "172.20.0.5", port: 80, protocol: "tcp", weight, tags: [], attrs: {}, host },
        ...{ container, image: "i", routes, since: SINCE },
      }),
    );
    return this;
  }

  async vouch(host = "h"): Promise<this> {
    const voucher = encode({ host, version: "0.1.0", since: SINCE });
    const puts = new Map([[hostKey(host), voucher]]);
    await this.apply({ puts, deletes: [] }, await this.grant(1_000_000));
    return this;
  }

  drain(container: string, host = "h"): this {
    this.put(drainKey(host, container), "{}");
    return this;
  }
}

/** A terminal that nobody sits at: what it is given goes into `out` and `err`. */
export function sampleTerminal(out: string[], err: string[]): Context["terminal"] {
  return {
    write: (text) => out.push(text),
    warn: (text) => err.push(text),
    interactive: false,
    colours: false,
    width: () => Infinity,
  };
}

/** An nginx that does not answer, but for what is said here. */
export function sampleEdge(change: Partial<Edge> = {}): Edge {
  const away = () => Promise.reject(new Error("nginx is away"));
  return { live: away, counts: away, ...change };
}

/** A context that writes into `out` and `err`, and whose time passes only while it waits. */
export function sampleContext(registry: MemoryRegistry, change: Partial<Context> = {}) {
  let now = NOW;
  const out: string[] = [];
  const err: string[] = [];
  const context: Context = {
    registry,
    engine: new MemoryEngine(() => now),
    edge: sampleEdge(),
    rules: () => Promise.resolve({ host: "h", networks: ["edge"], explicit: false, tags: [] }),
    terminal: sampleTerminal(out, err),
    now: () => now,
    wait: (ms) => {
      now += ms;
      return new Promise((resolve) => setImmediate(resolve));
    },
    signal: new AbortController().signal,
    ...change,
  };
  return { context, text: () => out.join(""), warnings: () => err.join("") };
}
