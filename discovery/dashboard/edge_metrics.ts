// What nginx did, counted out of its traffic log for each instance, and the names that all of it has in metrics.
// Bounded: who is gone is forgotten, and there is a most. Pure; asks nobody.
import { VERSION } from "../version.ts";
import {
  exposition,
  type Family,
  type Labels,
  type Sample,
  single,
} from "../metrics/exposition.ts";
import type { Placed } from "./board.ts";
import type { EdgeTotals } from "./edge_source.ts";
import type { Try } from "./traffic.ts";

/** How things stand besides. Times in ms since 1970. */
export interface EdgeStanding {
  /** Undefined: nginx does not answer. */
  readonly totals: EdgeTotals | undefined;
  readonly up: boolean;
  readonly etcd: boolean;
  /** When the live configuration went live; undefined: nginx started with it. */
  readonly live: number | undefined;
  readonly instances: number;
  readonly missing: number;
  readonly extra: number;
  readonly browsers: number;
}

interface Series {
  readonly labels: Labels;
  readonly codes: Map<string, number>;
  seconds: number;
  /** When its row was last there. */
  seen: number;
}

/** Upper ends of the histogram's buckets, in s. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** How long numbers of who is gone are shown, in ms: Prometheus must have had them. */
const FORGET = 10 * 60_000;
/** Instances and services that get numbers of their own. */
const MOST = 5_000;
const MOST_SERVICES = 500;
const OTHER: Labels = { service: "other", host: "", container: "" };

/** Counts from its making on. */
export class EdgeMetrics {
  private readonly series = new Map<string, Series>();
  /** Whose an address is, or was last. */
  private readonly owners = new Map<string, Series>();
  private readonly services = new Map<string, { counts: number[]; count: number; sum: number }>();

  /** Takes what was tried since the last look, and who is there. */
  take(tries: Iterable<Try>, rows: Iterable<Placed>, now: number): void {
    for (const { row: { address, service, host, name } } of rows) {
      if (address === "") continue;
      const series = this.owners.get(address);
      const { labels } = series ?? {};
      if (labels?.container === name && labels.service === service && labels.host === host) {
        series!.seen = now;
      } else this.owners.set(address, this.of({ service, host, container: name }, now));
    }
    for (const { address, seconds, code } of tries) {
      const series = this.owners.get(address) ?? this.of(OTHER, now);
      series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
      series.seconds += seconds;
      this.observe(series.labels.service!, seconds);
    }
    for (const [key, { seen, labels }] of this.series) {
      if (now - seen > FORGET && labels !== OTHER) this.series.delete(key);
    }
    for (const [address, { seen }] of this.owners) {
      if (now - seen > FORGET) this.owners.delete(address);
    }
  }

  /** Everything, as Prometheus reads it. */
  text(standing: EdgeStanding): string {
    const { totals, up, etcd, live, instances, missing, extra, browsers } = standing;
    const gauge = (name: string, help: string, value: number | undefined) =>
      single("gauge", `rollcall_${name}`, help, value);
    return exposition([
      {
        kind: "gauge",
        name: "rollcall_dashboard_info",
        help: "Always 1; its label tells what runs.",
        samples: [{ labels: { version: VERSION }, value: 1 }],
      },
      gauge("dashboard_browsers", "Browsers that watch the page.", browsers),
      gauge(
        "dashboard_etcd_up",
        "1 when etcd answered the dashboard when last asked.",
        Number(etcd),
      ),
      gauge("edge_up", "1 when nginx answered when last asked.", Number(up)),
      gauge(
        "edge_live_timestamp_seconds",
        "When the live configuration went live, in Unix time.",
        live === undefined ? undefined : live / 1000,
      ),
      gauge("edge_instances", "Instances in the live configuration.", instances),
      gauge("edge_instances_missing", "Instances that stand in etcd and are not live.", missing),
      gauge("edge_instances_extra", "Instances that are live and not in etcd any more.", extra),
      ...totals ? familiesOf(totals) : [],
      {
        kind: "counter",
        name: "rollcall_upstream_requests_total",
        help: "Requests sent to instances, each try counted, by what came back.",
        samples: [...this.series.values()].flatMap(({ labels, codes }): Sample[] =>
          [...codes].map(([code, value]) => ({ labels: { ...labels, code }, value }))
        ),
      },
      {
        kind: "counter",
        name: "rollcall_upstream_seconds_total",
        help: "Time that instances took to answer, all requests together.",
        samples: [...this.series.values()].map(({ labels, seconds }) => (
          { labels, value: rounded(seconds) }
        )),
      },
      {
        kind: "histogram",
        name: "rollcall_upstream_duration_seconds",
        help: "Time that a service's instances took to answer.",
        distributions: [...this.services].map(([service, { counts, count, sum }]) => ({
          ...{ labels: { service }, count, sum: rounded(sum) },
          buckets: new Map(BUCKETS.map((le, i) => [le, counts[i]!])),
        })),
      },
    ]);
  }

  private of(labels: Labels, now: number): Series {
    const key = `${labels.service}\0${labels.host}\0${labels.container}`;
    let series = this.series.get(key);
    if (!series && this.series.size >= MOST && labels !== OTHER) return this.of(OTHER, now);
    // From nothing on, so that a rate of errors is 0 and not unknown before the first one.
    const codes = new Map([["2xx", 0], ["5xx", 0]]);
    if (!series) this.series.set(key, series = { labels, codes, seconds: 0, seen: now });
    series.seen = now;
    return series;
  }

  private observe(name: string, seconds: number): void {
    const service = this.services.has(name) || this.services.size < MOST_SERVICES ? name : "other";
    let known = this.services.get(service);
    if (!known) {
      known = { counts: BUCKETS.map(() => 0), count: 0, sum: 0 };
      this.services.set(service, known);
    }
    known.count++;
    known.sum += seconds;
    for (let i = BUCKETS.length - 1; i >= 0 && seconds <= BUCKETS[i]!; i--) known.counts[i]!++;
  }
}

function familiesOf({ connections, counts }: EdgeTotals): readonly Family[] {
  const counter = (name: string, help: string, value: number | undefined) =>
    single("counter", `rollcall_edge_${name}`, help, value);
  const seconds = (name: string) => counts.has(name) ? counts.get(name)! / 1000 : undefined;
  const failures = [...counts].filter(([name]) => name.startsWith("failed_"));
  const states = ["active", "reading", "writing", "waiting"] as const;
  return [
    counter("reloads_total", "Configurations that went live.", counts.get("reloads")),
    counter(
      "reload_seconds_total",
      "From the swap until new workers answered.",
      seconds("reload_ms"),
    ),
    counter("checks_total", "Configurations that were tested.", counts.get("checks")),
    counter("check_seconds_total", "Time that testing took.", seconds("check_ms")),
    {
      kind: "counter",
      name: "rollcall_edge_failures_total",
      help: "Configurations that did not go live, by the step that failed.",
      samples: failures.map(([name, value]) => (
        { labels: { step: name.slice("failed_".length) }, value }
      )),
    },
    {
      kind: "gauge",
      name: "rollcall_edge_connections",
      help: "Connections of clients; waiting ones are idle.",
      samples: connections
        ? states.map((state) => ({ labels: { state }, value: connections[state] }))
        : [],
    },
    counter("connections_accepted_total", "Connections accepted.", connections?.accepted),
    counter("connections_handled_total", "Those of them that found room.", connections?.handled),
    counter("requests_total", "Requests of clients.", connections?.requests),
  ];
}

/** Sums of thousandths, without what binary fractions add to them. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
