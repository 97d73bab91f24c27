// The values of the keys in etcd, written and read by one codec (contract 1). Owns no key names.
import { z } from "zod";
import { BALANCE, type Instance, ROUND_ROBIN, type State } from "./instance.ts";
import { INSTANCE_ID, SERVICE_NAME, SERVICES } from "./keys.ts";

const registration = z.object({
  address: z.union([z.ipv4(), z.ipv6()]),
  port: z.int().min(1).max(65535),
  protocol: z.enum(["tcp", "udp"]),
  weight: z.int().min(0).max(1000),
  tags: z.array(z.string()),
  attrs: z.record(z.string(), z.string()),
  host: z.string().min(1),
  container: z.string().min(1),
  image: z.string(),
  // What has a default is not in the values of earlier versions.
  routes: z.array(
    z.object({ host: z.string(), path: z.string(), strip: z.boolean().default(false) }),
  ),
  balance: z.string().regex(BALANCE).default(ROUND_ROBIN),
  since: z.iso.datetime(),
});

const lastProbe = z.object({
  what: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  at: z.iso.datetime(),
  took: z.number(),
});

const status = z.object({
  state: z.enum(["starting", "up", "unhealthy", "paused", "draining", "rejected"]),
  reason: z.string(),
  since: z.iso.datetime(),
  container: z.string(),
  service: z.string().optional(),
  instance: z.string().optional(),
  /** What its owner asked for and does not get, and why. */
  note: z.string().optional(),
  /** Draining because somebody drained it, not because it was told to stop. */
  byHand: z.literal(true).optional(),
  probe: lastProbe.optional(),
  crashes: z.int().positive().optional(),
});

const voucher = z.object({ host: z.string(), version: z.string(), since: z.iso.datetime() });

const drain = z.object({
  since: z.iso.datetime().optional(),
  reason: z.string().max(200).optional(),
});

/** The value of `/services/<service>/<instance-id>`. */
export type Registration = Readonly<z.infer<typeof registration>>;
/**
 * The probe that a state rests on: what was asked and what came back, when, and how many ms it took.
 * Later ones that say the same are not written: a status changes when the verdict or its words do.
 */
export type LastProbe = Readonly<z.infer<typeof lastProbe>>;
/**
 * The value of `/rollcall/status/<host>/<container-id>/<port>`. `crashes`: how many lives in a row
 * before this one ended soon and by themselves.
 */
export type Status = Readonly<z.infer<typeof status>>;
/** The value of `/rollcall/hosts/<host>`. */
export type Voucher = Readonly<z.infer<typeof voucher>>;
/** The value of `/rollcall/drain/<host>/<container>`. */
export type Drain = Readonly<z.infer<typeof drain>>;

/** An instance as it stands in etcd; `since` is when it came into rotation. */
export function registrationOf(
  instance: Instance,
  container: { readonly host: string; readonly name: string; readonly image: string },
  since: string,
): Registration {
  const { address, port, protocol, weight, tags, attrs, routes, balance } = instance;
  return {
    address,
    port,
    protocol,
    weight,
    tags: [...tags],
    attrs: { ...attrs },
    host: container.host,
    container: container.name,
    image: container.image,
    routes: routes.map(({ host, path, strip }) => ({ host, path, strip })),
    balance,
    since,
  };
}

/** One line of JSON, its fields always in the same order, so that equal values are equal text. */
export function encode(value: Registration | Status | Voucher | Drain): string {
  return JSON.stringify(value);
}

/** `encode` for what we register: when it comes back, as most of what stands in etcd does, it need not be checked. */
export function encodeRegistration(registration: Registration): string {
  const value = encode(registration);
  remember(value, registration);
  return value;
}

/** What stands below /services/, or undefined when the key or the value is malformed. */
export function decodeRegistration(key: string, value: string): Registration | undefined {
  const [service = "", id = "", ...rest] = key.slice(SERVICES.length).split("/");
  if (!key.startsWith(SERVICES) || rest.length > 0) return undefined;
  if (!SERVICE_NAME.test(service) || !INSTANCE_ID.test(id)) return undefined;
  if (remembered.has(value)) return remembered.get(value);
  const read = decode(registration, value);
  remember(value, read);
  return read;
}

/** The last values of /services that were read or written, as the same ones are read again and again. */
const remembered = new Map<string, Registration | undefined>();
const MOST_REMEMBERED = 1_000;
const LONGEST_REMEMBERED = 2_000;

function remember(value: string, read: Registration | undefined): void {
  if (value.length > LONGEST_REMEMBERED) return;
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(value, read);
}

/** A status, or undefined when the value is malformed. */
export function decodeStatus(value: string): Status | undefined {
  return decode(status, value);
}

/** A voucher, or undefined when the value is malformed. */
export function decodeVoucher(value: string): Voucher | undefined {
  return decode(voucher, value);
}

/** Why and since when somebody drained a container. The key alone counts: a value that is none says nothing more. */
export function decodeDrain(value: string): Drain {
  return decode(drain, value) ?? {};
}

function decode<T>(schema: z.ZodType<T>, value: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined; // not JSON
  }
}

/** The states in which an instance has a key below /services/. */
export function inRotation(state: State): boolean {
  return state === "up";
}
