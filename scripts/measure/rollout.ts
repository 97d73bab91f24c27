// Measures rollouts under load for docs/measurements.md, on a stack of its own, and prints the table.
// `--rollouts N` (10), `--rate N` (1000): N in a row, of the bundled service and of one that exits at SIGTERM at once.
// `--by compose`: by `docker compose up` alone, which stops instances before it starts others.
import { parseArgs } from "node:util";
import { accountFor, failed } from "../bench/measure/account.ts";
import { backends } from "../bench/stack/backend.ts";
import { Stack } from "../e2e/stack.ts";
import { eventually } from "../testing/docker.ts";

const { values } = parseArgs({
  options: {
    rollouts: { type: "string", default: "10" },
    rate: { type: "string", default: "1000" },
    by: { type: "string", default: "rollout" },
  },
});
const rounds = Number(values.rollouts), rate = Number(values.rate);
const INSTANCES = 3;

const stack = new Stack();
const rows: string[] = [];
try {
  await stack.compose("up", "-d", "--build", "--scale", `service=${INSTANCES}`);
  await eventually(async () => {
    if ((await stack.answering(4 * INSTANCES)).size < INSTANCES) throw new Error("not all answer");
  }, { within: 60_000 });
  for (const kind of ["graceful", "abrupt"] as const) {
    stack.set(backends[kind].env);
    await roll(0); // whoever is replaced under load is of this kind
    const load = await stack.load(rate, INSTANCES, { postShare: 0.2, freshShare: 0.5 });
    const rollouts: Times[] = [];
    for (let round = 1; round <= rounds; round++) rollouts.push(await roll(round));
    const account = accountFor(await load.stop());
    const of = (method: "GET" | "POST") =>
      `${failed(account, { method })} of ${account.sent[method]}`;
    const { p99 = NaN, max = NaN } = account.latency ?? {};
    rows.push(
      `| ${
        [
          `${rounds} rollouts, ${INSTANCES} instances each; ${backends[kind].title}`,
          of("GET"),
          of("POST"),
          account.slow,
          `${p99.toFixed(0)} / ${max.toFixed(0)} ms`,
          ...(["admitted", "idle", "whole"] as const).map((part) => {
            const sorted = rollouts.map((times) => times[part]).sort((a, b) => a - b);
            const [p50 = NaN, max = NaN] = [sorted[Math.floor(rounds / 2)], sorted.at(-1)];
            return isNaN(max) ? "–" : `${p50.toFixed(1)} / ${max.toFixed(1)} s`;
          }),
        ].join(" | ")
      } |`,
    );
    if (account.failures.length > 0) console.error(account.failures);
  }
} finally {
  await stack.down();
}
console.log([
  "| what | failed GET | failed POST | slower than 0.5 s | latency p99 / max | start → all new in rotation, p50 / max | drained → idle | the whole rollout |",
  "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ...rows,
].join("\n"));

/** How long the parts of a rollout took, in s. */
interface Times {
  readonly admitted: number;
  readonly idle: number;
  readonly whole: number;
}

/** One rollout of a configuration that differs from the last. */
async function roll(round: number): Promise<Times> {
  stack.set({ START_DELAY_MS: String(round + 1) });
  const began = performance.now();
  if (values.by === "compose") {
    await stack.compose("up", "-d", "--no-build", "--scale", `service=${INSTANCES}`, "service");
    await eventually(async () => {
      const found = (await stack.answering(4 * INSTANCES)).size;
      if (found < INSTANCES) throw new Error(`only ${found} answer`);
    }, { within: 60_000 });
    return { admitted: NaN, idle: NaN, whole: (performance.now() - began) / 1000 };
  }
  const { code, stdout, stderr } = await stack.rollout("service").output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`Rollout ${round} failed with exit code ${code}:\n${text}`);
  const whole = (performance.now() - began) / 1000;
  const admitted = [...text.matchAll(/^\[ *([\d.]+) s\] .* is in rotation$/gm)].at(-1)?.[1];
  const idle = /Idle after ([\d.]+) s/.exec(text)?.[1];
  if (admitted === undefined || idle === undefined) throw new Error(`Cannot read: ${text}`);
  console.error(`rollout ${round}: ${admitted} s, ${idle} s, ${whole.toFixed(1)} s`);
  return { admitted: Number(admitted), idle: Number(idle), whole };
}
