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
  /** In plain words, as in `connection refused`. */
  readonly detail: string;
}

/** How many probes in a row must fail before an instance that was up leaves rotation. */
export const FALL = 3;
