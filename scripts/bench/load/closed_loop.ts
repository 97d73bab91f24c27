// Saturation: each connection sends its next request when the last is answered. For throughput only, never for latency.

import { type Address, connect } from "./connection.ts";
import { requestBytes, type Target } from "./request.ts";

/** A saturating load, as plain data. */
export interface SaturationOptions {
  readonly address: Address;
  readonly target: Target;
  readonly connections: number;
  /** How long, in ms. */
  readonly durationMs: number;
}

/** What came of it. */
export interface Saturation {
  readonly requestsPerSecond: number;
  /** Requests that did not end with a 2xx. A throughput with failures is none. */
  readonly failed: number;
}

/** Sends GETs as fast as they are answered. */
export async function runClosedLoop(options: SaturationOptions): Promise<Saturation> {
  const { address, target, connections, durationMs } = options;
  const request = requestBytes(0, { post: false, fresh: false }, target);
  const counts = { answered: 0, failed: 0 };
  const start = performance.now();
  const over = () => performance.now() - start >= durationMs;
  const client = async () => {
    while (!over()) {
      try {
        const connection = await connect(address, AbortSignal.timeout(5_000));
        while (connection.idle && !over()) {
          const exchange = await connection.exchange(request);
          const good = exchange.result === "answer" && exchange.answer.status < 300;
          counts[good ? "answered" : "failed"]++;
        }
        connection.close();
      } catch {
        counts.failed++;
        // A port that refuses would otherwise be asked in a busy loop.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  const seconds = (performance.now() - start) / 1000;
  return { requestsPerSecond: counts.answered / seconds, failed: counts.failed };
}
