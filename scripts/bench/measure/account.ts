// What a recording says about its requests: how many ended how, how long they took. Pure.

import { type Ending, ENDINGS, FRESH, POST, type Recording } from "../load/recording.ts";
import { summarize, type Summary } from "./statistics.ts";

export type Method = "GET" | "POST";
/** `new`: a connection for this request alone. */
export type Client = "kept" | "new";

/** So many requests failed alike. `kind` is the ending, for answers with their status code. */
export interface Failure {
  readonly kind: string;
  readonly method: Method;
  readonly client: Client;
  readonly count: number;
}

/** The account of a load, or of a part of it. */
export interface Account {
  readonly sent: Readonly<Record<Method, number>>;
  readonly answered: Readonly<Record<Method, number>>;
  readonly failures: readonly Failure[];
  /** Answers that took longer than `slowMs`, failed or not: what a person would notice. */
  readonly slow: number;
  /** ms from the intended time of sending to the end of the answer; of answered requests only. */
  readonly latency: Summary | undefined;
}

/** An answer that takes longer is counted as slow, in ms. */
export const slowMs = 500;

/** Adds up a recording. Throws when a request has no ending: then nothing else can be trusted. */
export function accountFor(recording: Recording): Account {
  const sent = { GET: 0, POST: 0 };
  const answered = { GET: 0, POST: 0 };
  const failures = new Map<string, Failure>();
  const latencies: number[] = [];
  let slow = 0;
  for (let i = 0; i < recording.ending.length; i++) {
    const method = methodOf(recording, i);
    const ending = endingOf(recording, i);
    const latency = latencyOf(recording, i);
    sent[method]++;
    if (ending === "pending") throw new Error(`Cannot add up: request ${i} has no ending`);
    if (ending === "answered") {
      answered[method]++;
      latencies.push(latency);
    } else {
      const kind = kindOf(ending, recording.status[i]!);
      const client = clientOf(recording, i);
      const key = [kind, method, client].join();
      const count = (failures.get(key)?.count ?? 0) + 1;
      failures.set(key, { kind, method, client, count });
    }
    if (latency > slowMs && recording.status[i]! > 0) slow++;
  }
  return {
    sent,
    answered,
    failures: [...failures.values()].sort((a, b) => b.count - a.count),
    slow,
    latency: summarize(latencies),
  };
}

/** Failed requests of an account, all of them or those that match. */
export function failed(account: Account, match: Partial<Failure> = {}): number {
  return account.failures
    .filter((failure) =>
      Object.entries(match).every(([key, value]) => failure[key as keyof Failure] === value)
    )
    .reduce((sum, { count }) => sum + count, 0);
}

/** Whether every request that was sent was answered or failed, by method. */
export function balances(account: Account): boolean {
  return (["GET", "POST"] as const).every((method) =>
    account.sent[method] === account.answered[method] + failed(account, { method })
  );
}

export function methodOf({ flags }: Recording, index: number): Method {
  return flags[index]! & POST ? "POST" : "GET";
}

export function clientOf({ flags }: Recording, index: number): Client {
  return flags[index]! & FRESH ? "new" : "kept";
}

export function endingOf({ ending }: Recording, index: number): Ending {
  return ENDINGS[ending[index]!]!;
}

/** ms from the intended time of sending to the end, whatever it was. */
export function latencyOf({ intended, ended }: Recording, index: number): number {
  return ended[index]! - intended[index]!;
}

function kindOf(ending: Ending, status: number): string {
  return ending === "status" ? `status ${status}` : ending;
}
