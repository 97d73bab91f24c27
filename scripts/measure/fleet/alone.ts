// The parts of the measurement for which there is no fleet, as tables. Owns no figure.
import { EtcdContainer } from "../../../discovery/etcd/etcd_container.ts";
import { bystander } from "./bystander.ts";
import { growth, metricsOf } from "./etcd_metrics.ts";
import { readings } from "./readings.ts";
import { changesFor, writeAt } from "./writer.ts";

/** What one host pays for the changes of others, with more and more of these. */
export async function bystanders(): Promise<readonly (readonly string[])[]> {
  const head = ["instances of other hosts", "registrator, % of a processor", "etcd, %"];
  const rows = [[...head, "etcd sends, kB/s", "registrator's memory, MB"]];
  for (const foreign of [0, 1_000, 10_000]) {
    const { registrator, etcd, sent, memory } = await bystander(foreign, 62);
    const figures = [registrator.toFixed(2), etcd.toFixed(2), (sent / 1000).toFixed(1)];
    rows.push([foreign.toLocaleString("en"), ...figures, String(memory)]);
    console.error(rows.at(-1)!.join("   "));
  }
  return rows;
}

/** What etcd pays when `readers` registrators read `instances` registrations at once. */
export async function readingsAtOnce(
  readers: number,
  instances: number,
): Promise<readonly (readonly string[])[]> {
  const { before, most, took } = await readings(readers, instances);
  const figures = [`${before.toFixed(0)} MB`, `${most.toFixed(0)} MB`, `${took.toFixed(0)} ms`];
  return [
    ["readers", "instances", "etcd's memory before", "the most of it", "took"],
    [String(readers), String(instances), ...figures],
  ];
}

/** What changes cost an etcd that holds `instances` registrations and does nothing else. */
export async function writing(
  instances: number,
  { rate, seconds, services }: { rate: number; seconds: number; services: number },
): Promise<readonly (readonly string[])[]> {
  const etcd = new EtcdContainer(30_000);
  try {
    await etcd.start();
    const { registry, endpoints: [url = ""] } = etcd;
    const lease = await registry.grant(600);
    const there = Array.from({ length: instances }, (_, i) => [
      ...changesFor(1_000_000 + i, true, services).puts,
    ]);
    await registry.apply({ puts: new Map(there.flat()), deletes: [] }, lease);
    const [before, began] = [await metricsOf(url), performance.now()];
    const { changes } = await writeAt(url, { rate, seconds, services });
    const [took, after] = [(performance.now() - began) / 1000, await metricsOf(url)];
    const share = 100 * growth(before, after, "process_cpu_seconds_total") / took;
    const bytes = growth(before, after, "etcd_mvcc_db_total_size_in_use_in_bytes") / changes;
    return [
      ["instances", "changes/s asked for", "written", "etcd, %", "its database for each, bytes"],
      [instances, rate, (changes / took).toFixed(0), share.toFixed(0), bytes.toFixed(0)].map(
        String,
      ),
    ];
  } finally {
    await etcd.end();
  }
}
