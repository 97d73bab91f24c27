// The parts of the measurement for which there is no fleet, as tables. Owns no figure.
import { bystander } from "./bystander.ts";
import { readings } from "./readings.ts";

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
