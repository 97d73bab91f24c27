// What the harness hands on: one measurement per subject, scenario and client mode; the form of the JSON file. Pure.

import type { Recording } from "../load/recording.ts";
import type { Backend } from "../stack/backend.ts";
import type { ContainerEvent } from "../stack/events.ts";
import type { Usage } from "../stack/parts.ts";
import { type Account, accountFor, balances } from "./account.ts";
import { type Caught, caughtBy, livesOf, type Turnover, turnoverOf } from "./lives.ts";
import { type Pace, paceOf } from "./pace.ts";

/** How the clients of a load connect: kept connections, a new one for each request, or half and half. */
export type ClientMode = "kept" | "new" | "both";

/** Names a measurement. */
export interface Subjected {
  readonly subject: string;
  readonly scenario: string;
  readonly backend: Backend;
  readonly client: ClientMode;
  /** Which repetition, from 1. */
  readonly run: number;
  /** A defect that was planted; undefined: none. */
  readonly defect?: string;
}

/** One container that is not an instance: what the stack costs. */
export interface Part {
  readonly service: string;
  readonly memoryMiB: number;
  /** Seconds of one processor that it used during the load. */
  readonly cpuSeconds: number;
}

/** A load under which something was done to the instances, and what came of it. */
export interface Measurement extends Subjected, Turnover, Caught {
  readonly startedAt: string;
  readonly seconds: number;
  readonly rate: number;
  readonly account: Account;
  /** How often the load balancer took over a configuration; absent where it cannot be told. */
  readonly reloads?: number;
  /** Absent where Docker does not tell. */
  readonly parts?: readonly Part[];
  readonly pace: Pace;
  /** Why it is not to be trusted. */
  readonly problems: readonly string[];
}

/** Throughput beside static nginx, in alternating rounds. In requests per second. */
export interface Throughput extends Subjected {
  readonly tool: string;
  readonly connections: number;
  readonly rounds: readonly { readonly subject: number; readonly static: number }[];
  readonly problems: readonly string[];
}

/** The JSON file of a run of the harness. */
export interface Results {
  readonly version: 1;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string | number>>;
  /** Versions of what took part, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly measurements: readonly Measurement[];
  readonly throughput: readonly Throughput[];
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[];
}

/** What was gathered during a load. */
export interface Gathered {
  readonly recording: Recording;
  /** Of the scaled service only. */
  readonly events: readonly ContainerEvent[];
  readonly ready: ReadonlyMap<string, readonly number[]>;
  readonly reloads: number | undefined;
  readonly parts: readonly Part[] | undefined;
}

/** Makes the measurement out of what was gathered. */
export function measurementOf(about: Subjected, gathered: Gathered): Measurement {
  const { recording, events, ready, reloads, parts } = gathered;
  const account = accountFor(recording);
  const pace = paceOf(recording);
  const lives = livesOf(events, ready, recording);
  const problems = pace.invalid === undefined ? [] : [pace.invalid];
  if (!balances(account)) problems.push("sent is not answered + failed");
  return {
    ...about,
    startedAt: new Date(recording.startedAt).toISOString(),
    seconds: (recording.ended.at(-1) ?? 0) / 1000,
    rate: recording.rate,
    account,
    ...turnoverOf(lives),
    ...caughtBy(lives, recording),
    ...(reloads === undefined ? {} : { reloads }),
    ...(parts === undefined ? {} : { parts }),
    pace,
    problems,
  };
}

/** What the parts used between two readings. A part that is gone, or was restarted, counts from its start. */
export function partsBetween(
  services: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, Usage>,
  after: ReadonlyMap<string, Usage>,
): readonly Part[] {
  return [...after].map(([id, { memoryMiB, cpuSeconds }]) => ({
    service: services.get(id) ?? id,
    memoryMiB,
    cpuSeconds: Math.max(0, cpuSeconds - (before.get(id)?.cpuSeconds ?? 0)),
  }));
}
