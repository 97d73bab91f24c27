// Looks for tests: three instances that run, are ready and are in nginx, and what may be different. Owns no judgement.
import { encode } from "../../../discovery/registration.ts";
import type { Entry } from "../faults/etcd_gateway.ts";
import type { Seen } from "./engine_view.ts";
import type { Look } from "./look.ts";

export const NETWORK = "test_edge";

export function sampleInstance(number: number, more: Partial<Seen> = {}): Seen {
  return {
    ...{ id: `id${number}`, name: `test-service-${number}`, service: "service" },
    ...{ state: "running", health: "healthy" },
    addresses: new Map([[NETWORK, `10.0.0.${number}`]]),
    ...more,
  };
}

/** What stands in etcd for these instances. */
export function sampleKeys(instances: readonly Seen[]): readonly Entry[] {
  const since = "2026-11-23T03:00:00.000Z";
  return [
    ...instances.flatMap(({ id, name, addresses }) => [
      {
        key: `/services/service/h:${name}:8080`,
        value: encode({
          ...{ address: addresses.get(NETWORK) ?? "", port: 8080, protocol: "tcp", weight: 1 },
          ...{ tags: [], attrs: {}, host: "h", container: name, image: "i", routes: [] },
          ...{ balance: "round_robin", since },
        }),
      },
      {
        key: `/rollcall/status/h/${id}/8080`,
        value: encode({ state: "up", reason: "r", since, container: name, service: "service" }),
      },
    ]),
    { key: "/rollcall/hosts/h", value: encode({ host: "h", version: "0", since }) },
  ].map((entry, i) => ({ ...entry, revision: i + 1 }));
}

/** A look in which all agree, but for `more`. */
export function sampleLook(at: number, more: Partial<Look> = {}): Look {
  const instances = more.instances ?? [1, 2, 3].map((number) => sampleInstance(number));
  const servers = new Set([1, 2, 3].map((number) => `10.0.0.${number}:8080`));
  return {
    ...{ at, instances, others: [], leaving: new Set() },
    passing: new Set(instances.map(({ id }) => id)),
    edge: { generation: "g", written: "g", servers },
    keys: sampleKeys(instances),
    ...more,
  };
}
