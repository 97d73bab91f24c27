// The load that the harness puts on a stack: one place for its settings and their limits.

import type { ClientMode } from "../measure/measurement.ts";
import type { Subject } from "../subjects/subjects.ts";
import type { LoadOptions } from "./open_loop.ts";
import type { Target } from "./request.ts";

/** What can be set about a load. */
export interface LoadSettings {
  readonly port: number;
  /** Requests per second. */
  readonly rate: number;
  readonly seed: number;
  readonly client: ClientMode;
  readonly subject: Pick<Subject, "host" | "yours">;
  /** The longest that it may run, in s: a bound on what is sent, whatever else goes wrong. */
  readonly maxSeconds: number;
}

/** Share of POSTs, as in the comparison that is to be repeated. */
const postShare = 0.2;

const freshShare: Record<ClientMode, number> = { kept: 0, both: 0.5, new: 1 };

/** What is asked of a subject on that port. */
export function targetOf({ host, yours }: Pick<Subject, "host" | "yours">, port: number): Target {
  const { getPath = "/", postPath = "/echo" } = yours ?? {};
  const expect = yours ? "status" : "service";
  return { host: host ?? `127.0.0.1:${port}`, getPath, postPath, expect };
}

/** A load on a port of this machine. */
export function loadOptions(settings: LoadSettings): LoadOptions {
  const { port, rate, seed, client, subject, maxSeconds } = settings;
  const onlyGets = subject.yours !== undefined && subject.yours.postPath === undefined;
  return {
    address: { hostname: "127.0.0.1", port },
    target: targetOf(subject, port),
    mix: { seed, postShare: onlyGets ? 0 : postShare, freshShare: freshShare[client] },
    rate,
    maxRequests: Math.ceil(rate * maxSeconds),
    connections: 50,
    maxUnderWay: 500,
    timeoutMs: 10_000,
  };
}
