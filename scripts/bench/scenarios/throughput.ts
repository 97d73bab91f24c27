// Steady throughput beside static nginx: both stacks up, saturated in turn. Owns the order of rounds, no stack.

import { runClosedLoop } from "../load/closed_loop.ts";
import { run } from "../../testing/docker.ts";
import type { Stack } from "../stack/stack.ts";

/** How the rounds are run. */
export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

/** Who sends. wrk is far cheaper than our own client, so it finds the limits of what is measured, not its own. */
export async function findTool(): Promise<"wrk" | "own client"> {
  // It prints its version and exits with 1.
  const command = new Deno.Command("wrk", { args: ["--version"], stdout: "null", stderr: "null" });
  return await command.output().then(() => "wrk" as const, () => "own client" as const);
}

/**
 * Saturates two stacks in turn, so that what else goes on on the machine hits both alike. Who begins
 * alternates too. The first round of each is for warming up, and is not counted.
 */
export async function compare(
  subject: Stack,
  fixed: Stack,
  { rounds, seconds, connections }: Rounds,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<{ rounds: { subject: number; static: number }[]; problems: string[]; tool: string }> {
  const tool = await findTool();
  const saturate = tool === "wrk" ? withWrk : withOwnClient;
  const results: { subject: number; static: number }[] = [];
  const problems = new Set<string>();
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    const rates = new Map<Stack, number>();
    for (const stack of round % 2 === 0 ? [subject, fixed] : [fixed, subject]) {
      signal.throwIfAborted();
      const { rate, failed } = await saturate(stack, round === 0 ? 2 : seconds, connections);
      if (failed > 0) problems.add(`${failed} requests to ${stack.subject.name} failed`);
      rates.set(stack, rate);
    }
    if (round > 0) results.push({ subject: rates.get(subject)!, static: rates.get(fixed)! });
  }
  return { rounds: results, problems: [...problems], tool };
}

interface Saturated {
  readonly rate: number;
  readonly failed: number;
}

async function withWrk(stack: Stack, seconds: number, connections: number): Promise<Saturated> {
  const host = stack.subject.host ? ["-H", `Host: ${stack.subject.host}`] : [];
  const url = `http://127.0.0.1:${stack.port}/`;
  const output = await run("wrk", [
    ...["-t", "1", "-c", `${connections}`, "-d", `${seconds}s`],
    ...host,
    url,
  ]);
  return parseWrk(output);
}

/** What wrk printed. Throws when it is not what wrk prints. */
export function parseWrk(output: string): Saturated {
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(output)?.[1];
  if (rate === undefined) throw new Error(`Cannot read wrk's output: ${output.slice(0, 200)}`);
  const statuses = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    output,
  );
  const sockets = errors ? errors.slice(1).reduce((sum, n) => sum + Number(n), 0) : 0;
  return { rate: Number(rate), failed: statuses + sockets };
}

async function withOwnClient(stack: Stack, seconds: number, connections: number) {
  const { requestsPerSecond, failed } = await runClosedLoop({
    address: { hostname: "127.0.0.1", port: stack.port },
    target: { host: stack.subject.host ?? "bench", getPath: "/", postPath: "/", expect: "status" },
    connections,
    durationMs: seconds * 1000,
  });
  return { rate: requestsPerSecond, failed };
}
