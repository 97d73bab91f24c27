// Brings every fault of scripts/e2e/faults.ts to a stack of its own under load, and prints what each cost as Markdown.
// Usage: deno run -A scripts/measure/registrator_faults.ts [words of the faults' names]
import { complaints, type Cost, type Fault, runFault } from "../e2e/fault_run.ts";
import { faults } from "../e2e/faults.ts";
import { dockerdRestarted, moveTo, SecondEngine } from "../e2e/second_engine.ts";
import { Stack } from "../e2e/stack.ts";
import { FAULT_SETTINGS, TTL, World } from "../e2e/world.ts";

const RATE = 300;

const wanted = ({ name }: Fault) =>
  Deno.args.length === 0 || Deno.args.some((word) => name.includes(word));
const stack = new Stack(FAULT_SETTINGS);
const engine = new SecondEngine();
const costs: Cost[] = [];
try {
  await stack.compose("up", "-d", "--build", "--scale", "service=4");
  const world = new World(stack);
  await world.right(60_000);
  const [spare] = await world.running();
  await world.engine("stop", spare!.id);
  for (const fault of faults.filter(wanted)) await bring(world, fault);
  const restart = dockerdRestarted(engine);
  if (wanted(restart)) await bring(await moveTo(engine, stack, 3), restart);
} finally {
  await engine.end();
  await stack.down();
}
console.log(
  [
    `TTL ${TTL} s, ${RATE} requests/s:\n`,
    "| what | requests failed / sent | of them POSTs that an ending instance took with it | s until etcd was right | keys lost | left over |",
    "| --- | --- | --- | --- | --- | --- |",
    ...costs.map(row),
  ].join("\n"),
);
Deno.exit(costs.every((cost) => complaints(cost).length === 0) ? 0 : 1);

function row({ fault, failed, sent, taken, seconds, lost, leftOver }: Cost): string {
  const right = seconds === undefined ? "never" : seconds.toFixed(1);
  const figures = [`${failed} / ${sent}`, taken, right, lost.length, leftOver.length];
  return `| ${fault.name} | ${figures.join(" | ")} |`;
}

async function bring(world: World, fault: Fault): Promise<void> {
  const cost = await runFault(world, fault, RATE);
  costs.push(cost);
  console.error(row(cost));
  for (const complaint of complaints(cost)) console.error(`    ${complaint}`);
}
