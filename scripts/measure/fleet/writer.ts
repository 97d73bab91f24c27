// Writes changes into etcd at a given pace as a registrator would: instance and status on a lease, one transaction each.
import { delay } from "../../../discovery/delay.ts";
import type { Changes } from "../../../discovery/etcd/registry.ts";
import { EtcdRegistry } from "../../../discovery/etcd/etcd_registry.ts";
import { hostKey, serviceKey, statusKey } from "../../../discovery/keys.ts";
import { encode } from "../../../discovery/registration.ts";

const HOST = "writer";
/** Of so many changes in a row two add an instance that stays, so that the edge's count tells how far it is. */
const BLOCK = 20;

/** How many may be under way. */
const AT_ONCE = 64;

/** What was written. */
export interface Written {
  readonly changes: number;
  /** How many instances more there are after it. */
  readonly added: number;
}

/** The `i`-th change: an instance comes and goes again, and two of a block stay. */
export function changeAt(i: number): { readonly instance: number; readonly put: boolean } {
  const stays = i % BLOCK >= BLOCK - 2;
  return { instance: stays || i % 2 === 0 ? i : i - 1, put: stays || i % 2 === 0 };
}

/** What a registrator writes when the instance comes, and when it goes. */
export function changesFor(instance: number, put: boolean, services: number): Changes {
  const container = `shop-s${instance % services}-${instance}`;
  const key = serviceKey(`s${instance % services}`, `${HOST}:${container}:8080`);
  const status = statusKey(HOST, instance.toString(16).padStart(64, "0"), "8080");
  if (!put) return { puts: new Map(), deletes: [key, status] };
  const since = new Date().toISOString();
  const address = `10.${instance >> 16}.${(instance >> 8) & 255}.${instance & 255}`;
  const registration = encode({
    ...{ address, port: 8080, protocol: "tcp", weight: 1, tags: [], attrs: {}, host: HOST },
    ...{ container, image: "shop/web:1", routes: [], balance: "round_robin", since },
  });
  const reason = "A connect was accepted.";
  const probe = {
    what: `TCP connect to ${address}:8080`,
    ok: true,
    detail: "connected",
    at: since,
  };
  const said = encode({
    ...{ state: "up", reason, since, container, service: `s${instance % services}` },
    ...{ instance: `${HOST}:${container}:8080`, probe: { ...probe, took: 1 } },
  });
  return { puts: new Map([[key, registration], [status, said]]), deletes: [] };
}

/** Writes `rate` changes each second for `seconds`, and for twice that where etcd is slower; resolves when all are there. */
export async function writeAt(
  url: string,
  { rate, seconds, services }: { rate: number; seconds: number; services: number },
): Promise<Written> {
  const registry = new EtcdRegistry({ endpoints: [url], deadline: 30_000 });
  const lease = await registry.grant(600);
  await registry.apply({ puts: new Map([[hostKey(HOST), "{}"]]), deletes: [] }, lease);
  let [changes, added] = [0, 0];
  /** The last write of each instance: what follows it must not overtake it. */
  const writes = new Map<number, Promise<unknown>>();
  const recent: Promise<unknown>[] = [];
  const began = performance.now();
  for (; changes < rate * seconds && performance.now() - began < 2_000 * seconds; changes++) {
    const early = began + 1000 * changes / rate - performance.now();
    if (early > 0) await delay(early);
    await recent[changes % AT_ONCE];
    const { instance, put } = changeAt(changes);
    added += put ? 1 : -1;
    const write = () => registry.apply(changesFor(instance, put, services), lease);
    const written = writes.get(instance)?.then(write) ?? write();
    recent[changes % AT_ONCE] = written.catch(() => {}); // told below
    writes.set(instance, written);
  }
  await Promise.all(writes.values());
  registry.close();
  return { changes, added };
}
