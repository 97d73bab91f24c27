// What in etcd is this host's, and what a predecessor left there. Pure; owns no key's meaning but whose it is.
import type { Entry } from "../etcd/registry.ts";
import { hostKey, SERVICES, STATUS } from "../keys.ts";
import {
  decodeRegistration,
  decodeStatus,
  decodeVoucher,
  type Registration,
  type Status,
  type Voucher,
} from "../registration.ts";
import type { Owner } from "./plan.ts";

/** A predecessor's keys, read. Malformed ones are left out: they are written anew. */
export interface Inheritance {
  readonly registrations: ReadonlyMap<string, Registration>;
  /** By key, those of this host. */
  readonly statuses: ReadonlyMap<string, Status>;
  /** Those of them that tell of a container that is leaving, by its id. */
  readonly draining: ReadonlyMap<string, Status>;
  readonly voucher: Voucher | undefined;
}

/** Picks what the last registrator of `host` wrote out of everything that stands in etcd. */
export function inheritanceIn(entries: ReadonlyMap<string, Entry>, host: string): Inheritance {
  const registrations = new Map<string, Registration>();
  const statuses = new Map<string, Status>();
  const draining = new Map<string, Status>();
  const own = `${STATUS}${host}/`;
  for (const [key, { value }] of entries) {
    const registration = decodeRegistration(key, value);
    if (registration?.host === host) registrations.set(key, registration);
    const status = key.startsWith(own) ? decodeStatus(value) : undefined;
    if (status === undefined) continue;
    statuses.set(key, status);
    const containerId = key.slice(own.length).split("/")[0];
    if (status.state === "draining" && !status.byHand && containerId) {
      draining.set(containerId, status);
    }
  }
  const voucher = entries.get(hostKey(host));
  return { registrations, statuses, draining, voucher: voucher && decodeVoucher(voucher.value) };
}

/** Tells whose a key is, for the registrator of `host`. */
export function ownerFor(host: string): (key: string, value: string) => Owner {
  return (key, value) => {
    if (!key.startsWith(SERVICES)) {
      return key === hostKey(host) || key.startsWith(`${STATUS}${host}/`) ? "us" : "another";
    }
    const registration = decodeRegistration(key, value);
    if (registration) return registration.host === host ? "us" : "another";
    // A malformed value: under an id of our form it overwrote one of ours.
    return key.split("/")[3]?.startsWith(`${host}:`) ? "us" : "nobody";
  };
}
