// From keys to the rows of the page: one for each instance that etcd knows of. Pure; owns no looks.
import type { Entry } from "../etcd/registry.ts";
import type { State } from "../instance.ts";
import { serviceKey, SERVICES, STATUS } from "../keys.ts";
import {
  decodeRegistration,
  decodeStatus,
  type Registration,
  type Status,
} from "../registration.ts";

/** One line of the page. */
export interface Row {
  /** The key that it is made of. */
  readonly id: string;
  /** `""` when it belongs to no service: a container that was rejected as a whole. */
  readonly service: string;
  readonly name: string;
  /** `""` when no status tells of it. */
  readonly containerId: string;
  readonly host: string;
  /** `malformed`: what stands in etcd cannot be read, so the edge leaves it out. */
  readonly state: State | "malformed";
  readonly reason: string;
  /** What its owner asked for and does not get, and why; `""` when nothing. */
  readonly note: string;
  /** nginx gets no answer from it, though it is in rotation. */
  readonly unanswered: boolean;
  /** ISO time, `""` when not known. */
  readonly since: string;
  /** As nginx writes it, `172.20.0.5:8080`; `""` when not known. */
  readonly address: string;
  readonly weight: number | undefined;
  /** Whether the edge should send it requests: registered, TCP, and of a weight above 0. */
  readonly wanted: boolean;
}

/** What stands in etcd, read once for each value. Not malformed is what is there and undefined is not. */
export class Keys {
  private readonly registrations = new Map<string, Registration | undefined>();
  private readonly statuses = new Map<string, Status | undefined>();

  /** Takes one change; keys of other prefixes are passed over. */
  take(key: string, entry: Entry | undefined): void {
    const known = key.startsWith(SERVICES)
      ? this.registrations
      : key.startsWith(STATUS)
      ? this.statuses
      : undefined;
    if (known === undefined) return;
    if (entry === undefined) known.delete(key);
    else if (known === this.registrations) {
      this.registrations.set(key, decodeRegistration(key, entry.value));
    } else this.statuses.set(key, decodeStatus(entry.value));
  }

  /** Every row, those of one service together, in no other order. */
  rows(): readonly Row[] {
    const rows: Row[] = [];
    const explained = new Set<string>();
    for (const [id, status] of this.statuses) {
      const [host = "", containerId = ""] = id.slice(STATUS.length).split("/");
      if (status === undefined) {
        rows.push(malformed(id, "", host));
        continue;
      }
      const { container: name, service = "", instance, state, reason, since, note = "" } = status;
      // Of two that claim one key, only the one that is up has it.
      const key = state === "up" && instance !== undefined ? serviceKey(service, instance) : "";
      const registration = this.registrations.get(key);
      if (registration) explained.add(key);
      const row = { id, service, name, containerId, host, state, reason, note, since };
      rows.push({ ...row, unanswered: false, ...endpoint(registration) });
    }
    for (const [id, registration] of this.registrations) {
      if (explained.has(id)) continue;
      const [service = "", instance = ""] = id.slice(SERVICES.length).split("/");
      if (registration === undefined) {
        rows.push({ ...malformed(id, service, ""), name: instance });
        continue;
      }
      const { container: name, host, since } = registration;
      const reason = "Registered, with no status: written by hand or by another program.";
      const row = { id, service, name, host, state: "up", reason, since } as const;
      rows.push({
        ...row,
        containerId: "",
        note: "",
        unanswered: false,
        ...endpoint(registration),
      });
    }
    return rows;
  }
}

function endpoint(
  registration: Registration | undefined,
): Pick<Row, "address" | "weight" | "wanted"> {
  if (registration === undefined) return { address: "", weight: undefined, wanted: false };
  const { address, port, protocol, weight } = registration;
  return {
    address: address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
    weight,
    wanted: protocol === "tcp" && weight > 0,
  };
}

function malformed(id: string, service: string, host: string): Row {
  const reason = `The value of ${id} is malformed. Delete it: etcdctl del ${id}`;
  const none = {
    containerId: "",
    note: "",
    unanswered: false,
    since: "",
    address: "",
    weight: undefined,
    wanted: false,
  };
  return { id, service, name: id, host, state: "malformed", reason, ...none };
}

/** Where a row stands within its service: by name, where web-10 comes behind web-9, then by port. */
export function orderOf({ name, id }: Row): string {
  const numbers = (text: string) => text.replace(/\d+/g, (digits) => digits.padStart(6, "0"));
  return `${numbers(name)} ${numbers(id.slice(id.lastIndexOf("/") + 1))}`;
}
