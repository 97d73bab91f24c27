// What etcd needs when every registrator reads everything at the same moment, as when it comes back from an outage.
import { EtcdContainer } from "../../../discovery/etcd/etcd_container.ts";
import { EtcdRegistry } from "../../../discovery/etcd/etcd_registry.ts";
import { memoryOf } from "./memory.ts";
import { changesFor } from "./writer.ts";

/** etcd's memory in MB before all of them, and the most of it until all had read; and how long that took, ms. */
export interface Cost {
  readonly before: number;
  readonly most: number;
  readonly took: number;
}

/** `readers` connections read `instances` registrations at once. */
export async function readings(readers: number, instances: number): Promise<Cost> {
  const etcd = new EtcdContainer(60_000);
  const { endpoints } = etcd;
  const clients = Array.from(
    { length: readers },
    () => new EtcdRegistry({ endpoints, deadline: 120_000 }),
  );
  try {
    await etcd.start();
    const lease = await etcd.registry.grant(600);
    const all = Array.from({ length: instances }, (_, i) => [...changesFor(i, true, 100).puts]);
    await etcd.registry.apply({ puts: new Map(all.flat()), deletes: [] }, lease);
    await Promise.all(clients.map((client) => client.revision())); // connections are there
    const before = (await memoryOf(etcd.name)).most;
    const began = performance.now();
    const read = await Promise.all(clients.map((client) => client.list("/services/")));
    const wrong = read.find(({ size }) => size !== instances);
    if (wrong) throw new Error(`Cannot measure: ${wrong.size} of ${instances} were read`);
    const took = performance.now() - began;
    return { before, most: (await memoryOf(etcd.name)).most, took };
  } finally {
    for (const client of clients) client.close();
    await etcd.end();
  }
}
