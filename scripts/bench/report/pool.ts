// Several runs of the same measurement as one, and how far they lie apart. Pure.

import type { Account, Failure } from "../measure/account.ts";
import type { Measurement, Part } from "../measure/measurement.ts";
import { median, type Summary } from "../measure/statistics.ts";

/** The runs of one measurement, in the order in which they were made. */
export type Runs = readonly [Measurement, ...Measurement[]];

/** Measurements that differ only by their run, side by side. */
export function byRun(measurements: readonly Measurement[]): readonly Runs[] {
  const groups = Map.groupBy(
    measurements,
    ({ subject, scenario, client, defect }) => [subject, scenario, client, defect].join("\t"),
  );
  return [...groups.values()] as unknown as readonly Runs[];
}

/**
 * All runs as one measurement: requests and failures are added up, times between events are taken
 * together. Of latencies only percentiles are known, so the middle run's stand for all; the maximum is
 * the maximum.
 */
export function pooled(runs: Runs): Measurement {
  const [first] = runs;
  const { reloads: _reloads, parts: _parts, ...rest } = first;
  const reloads = runs.flatMap(({ reloads }) => reloads === undefined ? [] : [reloads]);
  const parts = runs.flatMap(({ parts }) => parts === undefined ? [] : [parts]);
  return {
    ...rest,
    seconds: sum(runs.map(({ seconds }) => seconds)),
    account: pooledAccount(runs.map(({ account }) => account)),
    startToFirst: runs.flatMap(({ startToFirst }) => startToFirst),
    readyToFirst: runs.flatMap(({ readyToFirst }) => readyToFirst),
    killToLast: runs.flatMap(({ killToLast }) => killToLast),
    unseen: sum(runs.map(({ unseen }) => unseen)),
    underWayAtKill: summed(runs.map(({ underWayAtKill }) => underWayAtKill)),
    sentWhileEnding: summed(runs.map(({ sentWhileEnding }) => sentWhileEnding)),
    ...(reloads.length > 0 ? { reloads: median(reloads) } : {}),
    ...(parts.length > 0 ? { parts: pooledParts(parts) } : {}),
    problems: runs.flatMap(({ run, problems }) => problems.map((text) => `run ${run}: ${text}`)),
  };
}

function pooledAccount(accounts: readonly Account[]): Account {
  const failures = new Map<string, Failure>();
  for (const failure of accounts.flatMap(({ failures }) => failures)) {
    const key = [failure.kind, failure.method, failure.client].join("\t");
    const count = failure.count + (failures.get(key)?.count ?? 0);
    failures.set(key, { ...failure, count });
  }
  return {
    sent: summed(accounts.map(({ sent }) => sent)),
    answered: summed(accounts.map(({ answered }) => answered)),
    failures: [...failures.values()].sort((a, b) => b.count - a.count),
    slow: sum(accounts.map(({ slow }) => slow)),
    latency: pooledSummary(accounts.flatMap(({ latency }) => latency ? [latency] : [])),
  };
}

function pooledSummary(all: readonly Summary[]): Summary | undefined {
  if (all.length === 0) return undefined;
  const middle = (pick: (summary: Summary) => number) => median(all.map(pick));
  return {
    count: sum(all.map(({ count }) => count)),
    min: Math.min(...all.map(({ min }) => min)),
    p50: middle(({ p50 }) => p50),
    p95: middle(({ p95 }) => p95),
    p99: middle(({ p99 }) => p99),
    max: Math.max(...all.map(({ max }) => max)),
  };
}

function pooledParts(all: readonly (readonly Part[])[]): readonly Part[] {
  const groups = Map.groupBy(all.flat(), ({ service }) => service);
  return [...groups].map(([service, parts]) => ({
    service,
    memoryMiB: median(parts.map(({ memoryMiB }) => memoryMiB)),
    cpuSeconds: median(parts.map(({ cpuSeconds }) => cpuSeconds)),
  }));
}

function summed(counts: readonly Account["sent"][]): Account["sent"] {
  return {
    GET: sum(counts.map(({ GET }) => GET)),
    POST: sum(counts.map(({ POST }) => POST)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
