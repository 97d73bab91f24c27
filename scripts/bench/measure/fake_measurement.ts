// Measurements for tests of what is made of them.

import type { Measurement } from "./measurement.ts";

/** A measurement of Rollcall without a fault, but for what is given. */
export function measurement(given: Partial<Measurement> = {}): Measurement {
  return {
    subject: "rollcall",
    scenario: "scale",
    backend: "graceful",
    client: "kept",
    run: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    seconds: 10,
    rate: 1000,
    account: {
      sent: { GET: 800, POST: 200 },
      answered: { GET: 800, POST: 200 },
      failures: [],
      slow: 0,
      latency: { count: 1000, min: 1, p50: 2, p95: 3, p99: 4, max: 50 },
    },
    startToFirst: [60, 70, 80],
    readyToFirst: [20, 25, 30],
    killToLast: [150, 160, 170],
    unseen: 0,
    underWayAtKill: { GET: 0, POST: 0 },
    sentWhileEnding: { GET: 0, POST: 0 },
    reloads: 4,
    parts: [{ service: "nginx", memoryMiB: 20, cpuSeconds: 1 }],
    pace: { achievedRate: 1000, lateness: undefined, invalid: undefined },
    problems: [],
    ...given,
  };
}

/** The same with `count` failed requests. */
export function failing(
  count: number,
  method: "GET" | "POST",
  given: Partial<Measurement> = {},
): Measurement {
  const good = measurement(given);
  const { answered } = good.account;
  return {
    ...good,
    account: {
      ...good.account,
      answered: { ...answered, [method]: answered[method] - count },
      failures: [{ kind: "stale", method, client: "kept", count }],
    },
  };
}
