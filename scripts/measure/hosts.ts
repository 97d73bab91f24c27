// Brings what can happen to a host of several, under load, and prints what each cost as Markdown (docs/measurements.md).
// Usage: deno run -A scripts/measure/hosts.ts [TCP_RETRIES2, 2 where it is not given; Linux has 15]
import { EACH, type Outcome, TTL, TwoHosts } from "../e2e/two_hosts.ts";
import { markdownTable } from "./edge/table.ts";

const hosts = new TwoHosts(Number(Deno.args[0] ?? 2));
const outcomes: Outcome[] = [];
try {
  await hosts.open();
  for (const what of ["vanished", "cameBack", "partitioned", "wiped"] as const) {
    outcomes.push(await hosts[what]());
  }
  await hosts.swarm();
  outcomes.push(await hosts.scaledDown());
} finally {
  await hosts.close();
}

const row = ({ name, sent, failed, failures, seconds, fewest }: Outcome) => [
  name,
  [`${failed} of ${sent}`, ...failures.map(({ count, kind }) => `${count} ${kind}`)].join(", "),
  Object.entries(seconds).map(([what, s]) => `${what} ${s.toFixed(1)} s`).join("; "),
  String(fewest ?? ""),
];
console.log(`ROLLCALL_TTL is ${TTL} s; ${EACH} instances on each host.\n`);
console.log(markdownTable([
  ["what", "failed requests", "after", "fewest instances in nginx"],
  ...outcomes.map(row),
]));
