// SERVICE_CHECK_* to the check that admits an instance. Pure; owns the precedence, not the probing.
import type { Check, Health, Port } from "../instance.ts";
import type { Metadata } from "./metadata.ts";
import { isYes, reject, shown } from "./rejected_error.ts";

const HEALTHCHECK = "Its HEALTHCHECK decides, or a TCP connect.";

/**
 * registrator's other checks, in its order: Consul ran them. A label must neither start a program nor
 * take a container that worked until now out of rotation, so each is replaced, and the status says so.
 */
const REPLACED = [
  {
    key: "check_https",
    by: "tcp",
    note: "no certificate is issued for an instance's address. A TCP connect is done instead.",
  },
  { key: "check_cmd", by: "none", note: `a label starts no program here. ${HEALTHCHECK}` },
  { key: "check_script", by: "none", note: `a label starts no program here. ${HEALTHCHECK}` },
  { key: "check_docker", by: "none", note: `a label starts no program here. ${HEALTHCHECK}` },
  { key: "check_ttl", by: "none", note: `nobody takes heartbeats here. ${HEALTHCHECK}` },
  {
    key: "check_grpc",
    by: "tcp",
    note: "gRPC is not spoken here. A TCP connect is done instead.",
  },
] as const;

/**
 * Precedence: SERVICE_CHECK_HTTP, SERVICE_CHECK_TCP, Docker's HEALTHCHECK, else one TCP connect.
 * Throws a RejectedError.
 */
export function checkOf(metadata: Metadata, { protocol }: Port, health: Health): Check {
  const interval = duration(metadata, "check_interval", 10_000, 3_600_000);
  const timeout = duration(metadata, "check_timeout", 1_000, 60_000);
  // UDP has no handshake: nothing short of the application's own protocol can tell.
  if (protocol === "udp") return { kind: health === "none" ? "none" : "docker" };
  const path = metadata.get("check_http");
  if (path !== undefined) {
    if (!/^\/[\x21-\x7e]{0,1000}$/.test(path)) {
      reject("check_http", `'${shown(path)}' is not a path (as in /readyz)`);
    }
    return {
      kind: "http",
      path,
      ...methodOf(metadata),
      ...statusesOf(metadata),
      interval,
      timeout,
    };
  }
  if (isYes(metadata.get("check_tcp")) || replacedIn(metadata)?.by === "tcp") {
    return { kind: "tcp", interval, timeout };
  }
  if (health !== "none") return { kind: "docker" };
  return { kind: "tcp", interval: 0, timeout };
}

/** What is said about a check that registrator had and Rollcall does not; undefined where none is asked for. */
export function checkNote(metadata: Metadata, { protocol }: Port): string | undefined {
  if (protocol === "udp" || metadata.has("check_http")) return undefined; // as in registrator, it wins
  const replaced = replacedIn(metadata);
  return replaced && `SERVICE_${replaced.key.toUpperCase()} is not done: ${replaced.note}`;
}

function replacedIn(metadata: Metadata): (typeof REPLACED)[number] | undefined {
  return REPLACED.find(({ key }) => isYes(metadata.get(key)));
}

function methodOf(metadata: Metadata): { readonly method?: "HEAD" } {
  const method = metadata.get("check_http_method")?.trim().toUpperCase() ?? "GET";
  if (method === "GET") return {};
  if (method === "HEAD") return { method };
  return reject("check_http_method", `'${shown(method)}' is not GET or HEAD, which change nothing`);
}

/** `200`, `200-299`, `200,204`. */
function statusesOf(
  metadata: Metadata,
): { readonly statuses?: readonly (readonly [number, number])[] } {
  const text = metadata.get("check_http_status");
  if (text === undefined) return {};
  const statuses = text.split(",").map((item) => {
    const match = /^\s*([1-5]\d\d)(?:-([1-5]\d\d))?\s*$/.exec(item);
    const [first, last] = match ? [Number(match[1]), Number(match[2] ?? match[1])] : [1, 0];
    if (first > last) {
      const form = "as in 200, 200-299 or 200,204";
      reject("check_http_status", `'${shown(text)}' is not a list of statuses (${form})`);
    }
    return [first, last] as const;
  });
  return { statuses };
}

const UNITS = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** registrator's form of durations: `500ms`, `15s`, `1m30s`; a bare number is seconds. In ms. */
function duration(metadata: Metadata, key: string, fallback: number, most: number): number {
  const text = metadata.get(key);
  if (text === undefined) return fallback;
  const ms = milliseconds(text.trim());
  if (!(ms >= 10 && ms <= most)) {
    reject(key, `'${shown(text)}' is not a time from 10ms to ${most / 1000}s (as in 500ms, 10s)`);
  }
  return ms;
}

function milliseconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text) * UNITS.s;
  if (!/^(?:\d{1,6}(?:\.\d{1,6})?(?:ms|h|m|s))+$/.test(text)) return NaN;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) {
    sum += Number(number) * UNITS[unit as keyof typeof UNITS];
  }
  return Math.round(sum);
}
