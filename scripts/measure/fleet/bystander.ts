// What one host pays for the others: a registrator whose own containers rest, beside many foreign keys that change.
import { delay } from "../../../discovery/delay.ts";
import { EtcdContainer } from "../../../discovery/etcd/etcd_container.ts";
import { eventually } from "../../testing/docker.ts";
import { RegistratorProcess } from "../registrator_process.ts";
import { SimulatedEngine } from "../simulated_engine.ts";
import { growth, metricsOf } from "./etcd_metrics.ts";
import { changesFor } from "./writer.ts";

/** What it cost while one foreign key came or went each second. */
export interface Cost {
  /** Of a processor, in percent. */
  readonly registrator: number;
  readonly etcd: number;
  /** What etcd sent to it, bytes each second. */
  readonly sent: number;
  /** The registrator's, MB. */
  readonly memory: number;
}

const OWN = 100;

/** Measures for `seconds`, with `foreign` instances of other hosts. */
export async function bystander(foreign: number, seconds: number): Promise<Cost> {
  const etcd = new EtcdContainer(30_000);
  const engine = new SimulatedEngine();
  let registrator: RegistratorProcess | undefined;
  try {
    await etcd.start();
    const { registry, endpoints: [url = ""] } = etcd;
    const lease = await registry.grant(600);
    const changes = Array.from({ length: foreign }, (_, i) => changesFor(i, true, 100));
    const puts = new Map(changes.flatMap(({ puts }) => [...puts]));
    await registry.apply({ puts, deletes: [] }, lease);
    for (let i = 0; i < OWN; i++) engine.start(i);
    registrator = new RegistratorProcess({ docker: engine.url, etcd: url, host: "bystander" });
    await eventually(async () => {
      const vouched = await registry.list("/rollcall/hosts/bystander");
      if (vouched.size === 0) throw new Error("not vouched for");
    }, { within: 60_000 });
    await delay(6_000); // what the start leaves to do
    const [before, used, began] = [await metricsOf(url), registrator.processor, performance.now()];
    for (let i = 0; i < seconds; i++) {
      await registry.apply(changesFor(foreign, i % 2 === 0, 100), lease);
      await delay(Math.max(0, began + 1000 * (i + 1) - performance.now()));
    }
    const took = (performance.now() - began) / 1000;
    const after = await metricsOf(url);
    return {
      registrator: (registrator.processor - used) / 10 / took,
      etcd: 100 * growth(before, after, "process_cpu_seconds_total") / took,
      sent: growth(before, after, "etcd_network_client_grpc_sent_bytes_total") / took,
      memory: registrator.memory,
    };
  } finally {
    await registrator?.end();
    await engine.close();
    await etcd.end();
  }
}
