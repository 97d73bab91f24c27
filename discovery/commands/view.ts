// What stands in etcd, as rows that people can read. Pure: keys in, view out; owns no text on the screen.
import { type Entry, NO_LEASE } from "../etcd/registry.ts";
import { portName, type Route, type State } from "../instance.ts";
import { DRAINS, HOSTS, SERVICES, STATUS } from "../keys.ts";
import {
  decodeDrain,
  decodeRegistration,
  decodeStatus,
  decodeVoucher,
  type Registration,
} from "../registration.ts";

/** One instance, or one rejection of a container or port. */
export interface Row {
  /** Tells rows apart for as long as the container exists. */
  readonly id: string;
  readonly host: string;
  readonly container: string;
  /** Empty for a key that no status tells of. */
  readonly containerId: string;
  /** As `portName` writes it; `-` is the whole container. */
  readonly port: string;
  readonly service: string | undefined;
  readonly instance: string | undefined;
  readonly state: State;
  readonly reason: string;
  /** Whether it is draining because somebody drained it. */
  readonly byHand: boolean;
  /** What its owner asked for and does not get. */
  readonly note: string | undefined;
  readonly since: string;
  /** The key below /services, where it is there. */
  readonly key: string | undefined;
  /** `address:port`, known while it is in rotation. */
  readonly address: string | undefined;
  readonly weight: number | undefined;
  readonly routes: readonly Route[];
}

/** A registrator that vouches for its host. */
export interface Host {
  readonly host: string;
  readonly version: string;
  readonly since: string;
  /** False when somebody wrote the key by hand: it would stay without a registrator. */
  readonly leased: boolean;
}

/** A container that is out of rotation by hand. */
export interface Drained {
  readonly host: string;
  readonly container: string;
  readonly since: string | undefined;
  readonly reason: string | undefined;
  /** Whether there is such a container. */
  readonly known: boolean;
}

/** Everything there is to see in etcd. */
export interface View {
  readonly rows: readonly Row[];
  readonly hosts: readonly Host[];
  readonly drains: readonly Drained[];
  /** Keys whose value is not what it should be; nobody serves them. */
  readonly malformed: readonly string[];
}

/** Reads everything; what is malformed is named and left out. */
export function viewOf(entries: ReadonlyMap<string, Entry>): View {
  const registrations = new Map<string, Registration>();
  const malformed: string[] = [];
  for (const [key, { value }] of below(entries, SERVICES)) {
    const registration = decodeRegistration(key, value);
    if (registration) registrations.set(key, registration);
    else malformed.push(key);
  }
  const rows: Row[] = [];
  const told = new Set<string>();
  for (const [key, { value }] of below(entries, STATUS)) {
    const [host = "", containerId = "", port = "-"] = key.slice(STATUS.length).split("/");
    const status = decodeStatus(value);
    if (!status) {
      malformed.push(key);
      continue;
    }
    const { state, reason, since, container, service, instance, note } = status;
    const serviceKey = service && instance ? `${SERVICES}${service}/${instance}` : undefined;
    const registration = serviceKey ? registrations.get(serviceKey) : undefined;
    const mine = registration?.host === host && registration.container === container;
    if (serviceKey && mine) told.add(serviceKey);
    rows.push({
      ...{ id: key, host, container, containerId, port, service, instance, state, reason, note },
      ...{ since, byHand: status.byHand === true },
      key: mine ? serviceKey : undefined,
      ...endpointOf(mine ? registration : undefined),
    });
  }
  for (const [key, registration] of registrations) {
    if (!told.has(key)) rows.push(untold(key, registration));
  }
  return {
    rows: rows.sort(byName),
    hosts: hostsIn(entries),
    drains: drainsIn(entries, rows),
    malformed,
  };
}

/** A key that no registrator explains: another program's, or somebody wrote it by hand. */
function untold(key: string, registration: Registration): Row {
  const [service, instance] = key.slice(SERVICES.length).split("/");
  const { host, container, port: number, protocol, since } = registration;
  return {
    ...{ id: key, host, container, containerId: "", port: portName({ number, protocol }) },
    ...{ service, instance, state: "up" as const, since, key, byHand: false },
    note: undefined,
    reason: "No registrator tells of it: another program or somebody by hand wrote its key.",
    ...endpointOf(registration),
  };
}

function endpointOf(
  registration: Registration | undefined,
): Pick<Row, "address" | "weight" | "routes"> {
  if (!registration) return { address: undefined, weight: undefined, routes: [] };
  const { address, port, weight, routes } = registration;
  const host = address.includes(":") ? `[${address}]` : address;
  return { address: `${host}:${port}`, weight, routes };
}

function hostsIn(entries: ReadonlyMap<string, Entry>): readonly Host[] {
  return [...below(entries, HOSTS)].flatMap(([, { value, lease }]) => {
    const voucher = decodeVoucher(value);
    return voucher ? [{ ...voucher, leased: lease !== NO_LEASE }] : [];
  });
}

function drainsIn(
  entries: ReadonlyMap<string, Entry>,
  rows: readonly Row[],
): readonly Drained[] {
  return [...below(entries, DRAINS)].map(([key, { value }]) => {
    const [host = "", container = ""] = key.slice(DRAINS.length).split("/");
    const { since, reason } = decodeDrain(value);
    const known = rows.some((row) => row.host === host && row.container === container);
    return { host, container, since, reason, known };
  });
}

function* below(entries: ReadonlyMap<string, Entry>, prefix: string): Iterable<[string, Entry]> {
  for (const entry of entries) if (entry[0].startsWith(prefix)) yield entry;
}

const collator = new Intl.Collator("en", { numeric: true }); // service-2 before service-10

/** Services first, then what has none. */
function byName(a: Row, b: Row): number {
  const service = Number(a.service === undefined) - Number(b.service === undefined) ||
    collator.compare(a.service ?? "", b.service ?? "");
  return service || collator.compare(a.host, b.host) ||
    collator.compare(a.container, b.container) || collator.compare(a.port, b.port);
}

/** Whether it gets requests: its key is there, and its weight is not 0. */
export function getsTraffic({ key, weight }: Row): boolean {
  return key !== undefined && weight !== 0;
}

/** The containers that somebody may mean by `text`: a name, the beginning of an id, or an instance's id. */
export function matching(rows: readonly Row[], text: string): readonly Row[] {
  const named = rows.filter(({ container, instance }) => container === text || instance === text);
  if (named.length > 0) return named;
  return /^[0-9a-f]{4,64}$/.test(text)
    ? rows.filter(({ containerId }) => containerId.startsWith(text))
    : [];
}
