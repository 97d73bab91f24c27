// What is counted about requests and the process, in the Prometheus text format. Owns the names.

import { Counter, Gauge, Histogram, Registry } from "prom-client";

export interface MetricsOptions {
  readonly version: string;
  readonly instance: string;
  readonly ready: () => boolean;
  readonly startedAt: Date;
}

/** What a request is counted under. All three have few values, whatever clients send. */
export interface RequestLabels {
  readonly method: string;
  readonly route: string;
  readonly status: number;
}

const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** One instance's counters. Nothing is shared between two of them, so tests do not interfere. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"method" | "route" | "status">;
  readonly #seconds: Histogram<"method" | "route">;
  #inFlight = 0;
  #served = 0;

  constructor({ version, instance, ready, startedAt }: MetricsOptions) {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "http_requests_total",
      help: "Requests answered.",
      labelNames: ["method", "route", "status"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "http_request_duration_seconds",
      help: "Time from a request's arrival to its answer.",
      labelNames: ["method", "route"],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge("http_requests_in_flight", "Requests being answered now.", () => this.#inFlight);
    gauge(
      "service_ready",
      "1 while the instance wants traffic, 0 while it leaves.",
      () => Number(ready()),
    );
    gauge(
      "process_start_time_seconds",
      "Start of the process, in Unix time.",
      () => startedAt.getTime() / 1000,
    );
    gauge(
      "process_resident_memory_bytes",
      "Resident memory of the process.",
      () => Deno.memoryUsage().rss,
    );
    new Gauge({
      name: "service_info",
      help: "Always 1; its labels tell what runs.",
      labelNames: ["version", "instance", "deno"],
      registers,
    }).set({ version, instance, deno: Deno.version.deno }, 1);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests of users so far; probes and scrapes are not among them. */
  get served(): number {
    return this.#served;
  }

  /** Counts a request that arrived. `ofUser` tells it from a probe or a scrape. */
  begin(ofUser: boolean): void {
    this.#inFlight++;
    if (ofUser) this.#served++;
  }

  /** Counts the answer to a request that `begin()` counted. */
  end({ method, route, status }: RequestLabels, seconds: number): void {
    this.#inFlight--;
    const labels = { method: knownMethods.has(method) ? method : "other", route };
    this.#requests.inc({ ...labels, status });
    this.#seconds.observe(labels, seconds);
  }

  readonly contentType: string = this.#registry.contentType;

  /** The exposition text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
