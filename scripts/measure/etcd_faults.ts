// Brings faults of etcd itself to a stack of its own under load, and prints what each cost as Markdown: with three members
// (scripts/e2e/cluster_faults.ts), or with certificates (scripts/e2e/secure_faults.ts).
// Usage: deno run -A scripts/measure/etcd_faults.ts cluster|secure
import { Certificates } from "../e2e/certificates.ts";
import { CLUSTER_SETTINGS, clusterFaults, whole } from "../e2e/cluster_faults.ts";
import { complaints, type Cost, type Fault, runFault } from "../e2e/fault_run.ts";
import { secureFaults } from "../e2e/secure_faults.ts";
import { Stack } from "../e2e/stack.ts";
import { FAULT_SETTINGS, TTL, World } from "../e2e/world.ts";

const RATE = 300;

const [kind = ""] = Deno.args;
if (!["cluster", "secure"].includes(kind)) throw new Error("Say which: cluster or secure");
const certificates = kind === "secure" ? new Certificates() : undefined;
const stack = new Stack({
  ...FAULT_SETTINGS,
  DRAIN_SECONDS: "3", // the default: an election takes longer than the short one
  ...(certificates?.settings ?? CLUSTER_SETTINGS),
});
const faults: readonly Fault[] = certificates
  ? Object.values(secureFaults(certificates))
  : clusterFaults();
const costs: Cost[] = [];
try {
  await certificates?.make();
  await stack.compose("up", "-d", "--build", "--scale", "service=4");
  if (!certificates) await whole(stack);
  const world = new World(stack);
  await world.right(60_000);
  const [spare] = await world.running();
  await world.engine("stop", spare!.id);
  for (const fault of faults) {
    const cost = await runFault(world, fault, RATE);
    costs.push(cost);
    console.error(row(cost));
    for (const complaint of complaints(cost)) console.error(`    ${complaint}`);
  }
} finally {
  await stack.down();
  await certificates?.remove();
}
console.log(
  [
    `${kind}, TTL ${TTL} s, ${RATE} requests/s:\n`,
    "| what | requests failed / sent | s until etcd was right | keys lost | left over |",
    "| --- | --- | --- | --- | --- |",
    ...costs.map(row),
  ].join("\n"),
);
Deno.exit(costs.every((cost) => complaints(cost).length === 0) ? 0 : 1);

function row({ fault, failed, sent, seconds, lost, leftOver }: Cost): string {
  const right = seconds === undefined ? "never" : seconds.toFixed(1);
  return `| ${fault.name} | ${failed} / ${sent} | ${right} | ${lost.length} | ${leftOver.length} |`;
}
