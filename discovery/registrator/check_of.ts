// SERVICE_CHECK_* to the check that admits an instance. Pure; owns the precedence, not the probing.
import type { Check, Health, Port } from "../instance.ts";
import type { Metadata } from "./metadata.ts";
import { isYes, reject, shown } from "./rejected_error.ts";

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
    return { kind: "http", path, interval, timeout };
  }
  if (isYes(metadata.get("check_tcp"))) return { kind: "tcp", interval, timeout };
  if (health !== "none") return { kind: "docker" };
  return { kind: "tcp", interval: 0, timeout };
}

/** registrator's form of durations: `500ms`, `15s`, `2m`; a bare number is seconds. In ms. */
function duration(metadata: Metadata, key: string, fallback: number, most: number): number {
  const text = metadata.get(key);
  if (text === undefined) return fallback;
  const match = /^(\d{1,6})(ms|s|m)?$/.exec(text);
  const ms = match ? Number(match[1]) * ({ ms: 1, s: 1000, m: 60_000 }[match[2] ?? "s"]!) : 0;
  if (ms < 10 || ms > most) {
    reject(key, `'${shown(text)}' is not a time from 10ms to ${most / 1000}s (as in 500ms, 10s)`);
  }
  return ms;
}
