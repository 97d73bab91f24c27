// Brings what can happen to a host of several, under load, and prints what each cost as Markdown (docs/measurements.md).
// Usage: deno run -A scripts/measure/hosts.ts [--only vanished,…] [TCP_RETRIES2=2] [RETRY_TIMEOUT=10s]
import { EACH, type Outcome, TTL, TwoHosts } from "../e2e/two_hosts.ts";
import { markdownTable } from "./edge/table.ts";

const EVENTS = ["vanished", "cameBack", "partitioned", "wiped", "scaled", "nodeVanished"] as const;

const at = Deno.args.indexOf("--only");
const only = at < 0
  ? EVENTS
  : EVENTS.filter((event) => Deno.args[at + 1]?.split(",").includes(event));
const settings = Object.fromEntries(
  Deno.args.filter((arg) => arg.includes("=")).map((arg) => arg.split("=")),
);
const hosts = new TwoHosts(settings);
const outcomes: Outcome[] = [];
try {
  await hosts.open();
  for (const event of only) {
    if (event === "scaled") await hosts.swarm(); // and for what comes after
    outcomes.push(await hosts[event]());
  }
} finally {
  await hosts.close();
}

const row = ({ name, sent, failed, failures, seconds, fewest, said }: Outcome) => {
  for (const line of said) console.error(line);
  const cell = (method: "GET" | "POST") => {
    const kinds = failures.filter((failure) => failure.method === method)
      .map(({ count, kind, client }) => `${count} ${kind} (${client})`);
    return [`${failed[method]} of ${sent[method]}`, ...kinds].join(", ");
  };
  const after = Object.entries(seconds).map(([what, s]) => `${what} ${s.toFixed(1)} s`).join("; ");
  return [name, cell("GET"), cell("POST"), after, String(fewest)];
};
console.log(`ROLLCALL_TTL is ${TTL} s; ${EACH} instances on each host.\n`);
console.log(markdownTable([
  ["what", "failed GET", "failed POST", "after", "fewest instances in nginx"],
  ...outcomes.map(row),
]));
