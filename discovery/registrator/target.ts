// What is probed and what a probe found. No rules, no I/O.
import type { Check } from "../instance.ts";

/** An endpoint to probe, until the roster no longer names it. */
export interface Target {
  /** The same for as long as the probing should go on: container, its life, endpoint and check are in it. */
  readonly name: string;
  readonly containerId: string;
  /** As `portName` writes it. */
  readonly portName: string;
  readonly address: string;
  readonly port: number;
  /** `interval` 0: only until it passes once. Times in ms. */
  readonly check: Extract<Check, { kind: "tcp" | "http" }>;
}

/** What a probe found. */
export interface Finding {
  readonly ok: boolean;
  /** In plain words, as in `connection refused`; where it failed, with what to do. */
  readonly detail: string;
  /** Nothing came back at all, not even a refusal: that may be our fault as well as the endpoint's. */
  readonly silent?: true;
}

/** What a probe found, and how long it took, in ms. */
export interface Result extends Finding {
  readonly took: number;
}

/** What is asked, for people: `GET http://172.20.0.5:80/ready`, `[fd00::5]:80`. */
export function whatOf(
  { address, port, check }: Pick<Target, "address" | "port" | "check">,
): string {
  const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  return check.kind === "http" ? `${check.method ?? "GET"} http://${where}${check.path}` : where;
}
