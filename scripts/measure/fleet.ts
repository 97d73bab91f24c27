// Measures a fleet: a hundred Docker hosts with a hundred instances each, one etcd, one edge. Prints Markdown.
//
//   deno run -A scripts/measure/fleet.ts [--hosts 100] [--instances 100] [--services 100] [--singles 200]
//                                            [--save docs/scale] [part …]
//
// Parts: rest, singles, rates, flood, outage, in this order after the first sync; all where none is named. Others, for
// which there is no fleet: bystander, what one host pays for the changes of others; readings, what etcd pays when all
// registrators read everything at once; writing, what changes cost an etcd that does nothing else.
//
// Real: a registrator for each host, a few dozen in one process, as this machine has not a processor for each; etcd,
// confd and nginx in their containers, limited as in compose.yaml. Simulated: the hosts' Docker Engines and their
// containers, each a port of this machine that accepts connections. A part that would begin after five minutes is left out, and it is said.
import { parseArgs } from "node:util";
import { delay } from "../../discovery/delay.ts";
import { summarize } from "../bench/measure/statistics.ts";
import { docker, eventually } from "../testing/docker.ts";
import { markdownTable, PERCENTILES, percentiles } from "./edge/table.ts";
import { bystanders, readingsAtOnce, writing } from "./fleet/alone.ts";
import { growth, type Metrics, metricsOf, requests } from "./fleet/etcd_metrics.ts";
import { Fleet } from "./fleet/fleet.ts";
import { type Change, lagsOf, lagsOfPeaks } from "./fleet/lags.ts";
import { memoryOf } from "./fleet/memory.ts";
import { changeToLive, requestsAtRest } from "./fleet/model.ts";
import { type Load, save } from "./fleet/results.ts";
import { PARTS, shares, type Used, usedBy } from "./fleet/processors.ts";
import { writeAt } from "./fleet/writer.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hosts: { type: "string", default: "100" },
    instances: { type: "string", default: "100" },
    services: { type: "string", default: "100" },
    singles: { type: "string", default: "200" },
    save: { type: "string" },
  },
});
const size = {
  hosts: Number(values.hosts),
  instances: Number(values.instances),
  services: Number(values.services),
};
const all = size.hosts * size.instances;
const REST = 30; // s
/** How long after etcd and the edge are there no part may begin any more, ms. */
const MOST = 300_000;
/** Registrators that start at the same time. */
const AT_ONCE = 8;

const step = (text: string) =>
  console.error(`[${(performance.now() / 1000).toFixed(1).padStart(6)} s] ${text}`);
const now = () => performance.timeOrigin + performance.now();
const figures: string[][] = [["what", "figure"]];
const figure = (what: string, text: string) => {
  figures.push([what, text]);
  step(`${what}: ${text}`);
};
const lags: string[][] = [["changes", "from → to, ms", ...PERCENTILES]];
const loads: Load[] = [];

/** How a part of the measurement looked from outside. */
interface Look {
  readonly at: number;
  readonly used: Used;
  readonly metrics: Metrics;
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  rest,
  singles: () => singles(Number(values.singles)),
  rates: async () => {
    for (const rate of [10, 100]) await steady(rate, 5);
  },
  flood: () => flood(1_000, 15),
  outage,
};
const alone: Readonly<Record<string, () => Promise<readonly (readonly string[])[]>>> = {
  bystander: bystanders,
  readings: () => readingsAtOnce(size.hosts, all),
  writing: () => writing(all, { rate: 1_000, seconds: 15, services: size.services }),
};
for (const name of positionals) {
  if (name in alone || name in parts) continue;
  const names = [...Object.keys(parts), ...Object.keys(alone)].join(", ");
  throw new Error(`Cannot measure '${name}': there are ${names}`);
}
const lonely = Object.entries(alone).filter(([name]) => positionals.includes(name));
for (const [, part] of lonely) console.log(markdownTable(await part()));
if (lonely.length > 0) Deno.exit(0); // grpc-js may leave timers behind

const fleet = await Fleet.prepare(size);
const { log, services } = fleet;
const prepared = performance.now();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  // A hundred processes that nobody would end.
  Deno.addSignalListener(signal, () => fleet[Symbol.asyncDispose]().finally(() => Deno.exit(130)));
}
try {
  await sync();
  for (const [name, part] of Object.entries(parts)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    if (performance.now() - prepared < MOST) await part();
    else console.error(`LEFT OUT, as five minutes are over: ${name}`);
  }
} finally {
  const headOfLoads = ["while", ...PARTS.map((part) => `${part}, %`)];
  const rows = [[...headOfLoads, "etcd: requests/s", "sent, MB/s"], ...loads.map(rowOf)];
  for (const table of [figures, lags, rows]) {
    if (table.length > 1) console.log(`${markdownTable(table)}\n`);
  }
  await fleet[Symbol.asyncDispose]();
}
if (values.save !== undefined) await save({ size, figures, lags, loads }, values.save);
Deno.exit(0); // grpc-js may leave timers behind

/** From nothing to everything live. */
async function sync(): Promise<void> {
  step(`${size.hosts} registrators start, ${AT_ONCE} at a time`);
  const before = await look();
  await fleet.start(AT_ONCE);
  const vouched = now();
  figure(
    `${size.hosts} registrators started, ${AT_ONCE} at a time → every host vouched for`,
    seconds(vouched - before.at),
  );
  const listed = new Map(fleet.hosts.map(({ name, engine }) => [name, engine.listedAt]));
  const own = fleet.vouchers.events.map(({ key, at }) =>
    at - performance.timeOrigin - listed.get(key.split("/").at(-1)!)!
  );
  const { p50, max } = summarize(own)!;
  figure(
    "of it: a host's first list asked for → vouched, p50 / max of the hosts",
    `${p50.toFixed(0)} / ${max.toFixed(0)} ms`,
  );
  await log.until(({ instances }) => instances === all);
  figure("last host vouched for → all live at the edge", seconds(log.live.at(-1)!.at - vouched));
  await told("the first sync", before);
  figure("etcd's memory then, and the most of it", await memoryOfEtcd());
}

/** Nothing happens. */
async function rest(): Promise<void> {
  await delay(10_000);
  const before = await look();
  await delay(REST * 1000);
  const after = await told(`at rest, ${REST} s`, before);
  const asked = requests(before.metrics, after.metrics);
  figure(
    "at rest: asked of etcd each second",
    [...asked].map(([method, count]) => `${method} ${(count / REST).toFixed(1)}`).join(", "),
  );
  figure(
    "the same in all: what the model says / measured",
    `${requestsAtRest(size.hosts).toFixed(1)} / ${loads.at(-1)!.requests.toFixed(1)}`,
  );
  await state("at rest");
}

/** Changes one after the other: a start, then a stop, each when the one before is live. */
async function singles(count: number): Promise<void> {
  const before = await look();
  const took: Record<Change["kind"], { toKey: number[]; toLive: number[] }> = {
    start: { toKey: [], toLive: [] },
    stop: { toKey: [], toLive: [] },
  };
  for (let i = 0; i < count; i++) {
    const host = fleet.hosts[(i >> 1) * 7 % size.hosts]!;
    const [events, live] = [services.events.length, log.live.length];
    const change = i % 2 === 0 ? host.start() : host.stop();
    const wanted = i % 2 === 0 ? all + 1 : all;
    await log.until(({ instances }) => instances === wanted, { since: change.at });
    await heard(events + 1);
    const { toKey, toLive } = lagsOf(
      [change],
      services.events.slice(events),
      log.live.slice(live),
      i % 2 === 0 ? all : all + 1,
    );
    took[change.kind].toKey.push(...toKey);
    took[change.kind].toLive.push(...toLive);
    await delay(100 + 100 * Math.random()); // longer than RELOAD_MIN_INTERVAL: each is a change at rest
  }
  await told("changes one after the other", before);
  for (const kind of ["start", "stop"] as const) {
    lags.push([
      `one after the other: ${kind}`,
      "Docker's event → key",
      ...percentiles(took[kind].toKey),
    ]);
    lags.push([
      `one after the other: ${kind}`,
      "Docker's event → live",
      ...percentiles(took[kind].toLive),
    ]);
  }
  const both = [...took.start.toLive, ...took.stop.toLive];
  lags.push(["**one after the other**", "**Docker's event → live**", ...percentiles(both)]);
  step(lags.at(-1)!.join(" "));
  figure(
    "a change → live, p50: what the model says / measured",
    `${changeToLive({ instances: all, services: size.services }).toFixed(0)} / ${
      summarize(both)!.p50.toFixed(0)
    } ms`,
  );
}

/** Starts for some seconds, then as many stops. */
async function steady(rate: number, seconds: number): Promise<void> {
  const before = await look();
  const toKey: number[] = [];
  const toLive: number[] = [];
  let count = all;
  for (const kind of ["start", "stop"] as const) {
    const [events, live, first] = [services.events.length, log.live.length, count];
    const changes: Change[] = [];
    const began = now();
    for (let i = 0; i < rate * seconds; i++) {
      await delay(Math.max(0, began + 1000 * i / rate - now()));
      const host = fleet.hosts[i * 7 % size.hosts]!;
      changes.push(kind === "start" ? host.start() : host.stop());
    }
    count += kind === "start" ? changes.length : -changes.length;
    await log.until(({ instances }) => instances === count, { since: began });
    await heard(events + changes.length);
    const found = lagsOf(changes, services.events.slice(events), log.live.slice(live), first);
    toKey.push(...found.toKey);
    toLive.push(...found.toLive);
  }
  await told(`${rate} changes/s`, before);
  lags.push([`${rate} each second`, "Docker's event → key", ...percentiles(toKey)]);
  lags.push([`${rate} each second`, "Docker's event → live", ...percentiles(toLive)]);
  step(lags.at(-1)!.join(" "));
}

/** Changes written by one writer in the registrators' place: more than a hundred of those could make on this machine. */
async function flood(rate: number, seconds: number): Promise<void> {
  const before = await look();
  const { own } = await memoryOf(fleet.etcdContainer);
  const [events, live] = [services.events.length, log.live.length];
  const began = now();
  const written = await writeAt(fleet.etcdUrl, { rate, seconds, services: size.services });
  const took = (now() - began) / 1000;
  const after = await told(`${rate} changes/s, written`, before);
  const count = all + written.added;
  const { at } = await log.until(({ instances }) => instances === count, { since: began });
  await heard(events + written.changes);
  const found = lagsOfPeaks(services.events.slice(events), log.live.slice(live), all);
  lags.push([`${rate} each second, written`, "key → live", ...percentiles(found)]);
  step(lags.at(-1)!.join(" "));
  figure(
    "written each second; configurations that went live each second",
    `${(written.changes / took).toFixed(0)}; ${((log.live.length - live) / took).toFixed(1)}`,
  );
  figure("last change written → live", `${(at - began - took * 1000).toFixed(0)} ms`);
  const bytes = growth(before.metrics, after.metrics, "etcd_mvcc_db_total_size_in_use_in_bytes");
  figure(
    "etcd's database, for each of these changes",
    `${(bytes / written.changes).toFixed(0)} bytes`,
  );
  figure(
    "etcd's memory besides the database's file, likewise",
    `${((await memoryOf(fleet.etcdContainer)).own - own) / written.changes * 1e6 | 0} bytes`,
  );
  await state("after that");
}

/** etcd dies and comes back: each host has a change waiting, and reads everything again at the same moment. */
async function outage(): Promise<void> {
  const before = log.live.at(-1)!.instances;
  await fleet.killEtcd();
  for (const host of fleet.hosts) host.start();
  await delay(3_000);
  const began = now();
  await fleet.startEtcd();
  await eventually(async () => {
    const count = await fleet.registered();
    if (count < before + size.hosts) throw new Error(`${count} registrations`);
  }, { within: 120_000, every: 50 });
  const there = now() - began;
  const { at } = await log.until(({ instances }) => instances >= before + size.hosts);
  figure(
    `etcd SIGKILLed for 3 s, meanwhile one more instance on each host: etcd started → all registered / live`,
    `${seconds(there)} / ${seconds(at - began)}`,
  );
  figure("after that: etcd's memory, and the most of it", await memoryOfEtcd());
}

/** Resolves when the watch of etcd has told of so many changes: the edge may have been sooner. */
async function heard(count: number): Promise<void> {
  await eventually(() => {
    const { length } = services.events;
    if (length < count) throw new Error(`etcd has told of ${length} changes of ${count}`);
  }, { within: 30_000, every: 5 });
}

async function look(): Promise<Look> {
  const [used, metrics] = await Promise.all([usedBy(fleet), metricsOf(fleet.etcdUrl)]);
  return { at: now(), used, metrics };
}

/** A row of what everybody used since `before`. */
async function told(what: string, before: Look): Promise<Look> {
  const after = await look();
  const took = (after.at - before.at) / 1000;
  const used = shares(before.used, after.used, took);
  const asked = [...requests(before.metrics, after.metrics).values()].reduce((a, b) => a + b, 0);
  const sent = growth(before.metrics, after.metrics, "etcd_network_client_grpc_sent_bytes_total");
  loads.push({ what, used, requests: asked / took, sent: sent / took });
  step(rowOf(loads.at(-1)!).join("   "));
  return after;
}

function rowOf({ what, used, requests, sent }: Load): readonly string[] {
  const shares = PARTS.map((part) => used[part].toFixed(1));
  return [what, ...shares, requests.toFixed(0), (sent / 1e6).toFixed(2)];
}

/** Sizes and memory. */
async function state(when: string): Promise<void> {
  const metrics = await metricsOf(fleet.etcdUrl);
  const mb = (name: string) => ((metrics.get(name) ?? NaN) / 1e6).toFixed(1);
  figure(
    `${when}: etcd's database, of it in use; keys; leases`,
    `${mb("etcd_mvcc_db_total_size_in_bytes")} MB, ${
      mb("etcd_mvcc_db_total_size_in_use_in_bytes")
    } MB; ` +
      `${metrics.get("etcd_debugging_mvcc_keys_total")}; ${
        (metrics.get("etcd_debugging_lease_granted_total") ?? 0) -
        (metrics.get("etcd_debugging_lease_revoked_total") ?? 0)
      }`,
  );
  figure(`${when}: etcd's memory, and the most of it`, await memoryOfEtcd());
  const edge = await docker(
    "stats",
    "--no-stream",
    "--format",
    "{{.MemUsage}}",
    fleet.edgeContainer,
  );
  figure(`${when}: memory of the edge's container`, edge.split(" / ")[0]!);
}

async function memoryOfEtcd(): Promise<string> {
  const { now, most, own } = await memoryOf(fleet.etcdContainer);
  return `${now.toFixed(0)} MB (${own.toFixed(0)} without the database's file), ${
    most.toFixed(0)
  } MB`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
