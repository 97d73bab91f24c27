// Waiting until a stack that was just started serves. Owns no load.

import { delay } from "../../../discovery/delay.ts";
import { connect } from "../load/connection.ts";
import { targetOf } from "../load/options.ts";
import { requestBytes } from "../load/request.ts";
import type { Stack } from "../stack/stack.ts";

/**
 * Asks, gently, until so many different instances have answered in a row of good answers.
 * Throws with the last answer when that takes longer than a minute.
 */
export async function untilServing(
  stack: Stack,
  instances: number,
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + 60_000;
  const seen = new Set<string>();
  let last = "no answer";
  // Somebody else's instances may not tell who they are.
  const wanted = stack.subject.yours ? 0 : instances;
  for (let good = 0; seen.size < wanted || good < 20;) {
    signal.throwIfAborted();
    if (Date.now() > end) {
      const found = `${seen.size} of ${wanted} instances answer`;
      throw new Error(`Cannot use ${stack.subject.name}: after a minute ${found}; last: ${last}`);
    }
    const { instance, status } = await ask(stack);
    last = status;
    good = /^2/.test(status) ? good + 1 : 0;
    if (instance !== undefined && good > 0) seen.add(instance);
    await delay(good > 0 ? 5 : 100, signal);
  }
}

async function ask({ subject, port }: Stack): Promise<{ instance?: string; status: string }> {
  const limit = AbortSignal.timeout(2_000);
  try {
    const connection = await connect({ hostname: "127.0.0.1", port }, limit);
    limit.addEventListener("abort", () => connection.close());
    const request = requestBytes(0, { post: false, fresh: true }, targetOf(subject, port));
    const exchange = await connection.exchange(request);
    connection.close();
    if (exchange.result !== "answer") return { status: exchange.result };
    const { status, headers } = exchange.answer;
    const instance = headers.get("x-instance");
    return { status: String(status), ...(instance === undefined ? {} : { instance }) };
  } catch (error) {
    return { status: error instanceof Error ? error.message : String(error) };
  }
}
