// Hostile label sets through the registrator's rules: prints a row for docs/measurements.md.
//   deno run -A scripts/measure/hostile_labels.ts [COUNT [SEED]]
import fc from "fast-check";
import { examine, hostile } from "../../discovery/registrator/hostile_containers.ts";

const [count = 1_000_000, seed = Date.now() % 0x7fffffff] = Deno.args.map(Number);
let rejected = 0;
let registered = 0;
let slowest = 0;
let spent = 0;
const began = performance.now();
const details = fc.check(
  fc.property(hostile, (one) => {
    const start = performance.now();
    const outcome = examine(one);
    const ms = performance.now() - start;
    rejected += outcome.rejected;
    registered += outcome.registered;
    slowest = Math.max(slowest, ms);
    spent += ms;
  }),
  { numRuns: count, seed },
);
if (details.failed) {
  // The smallest set that breaks a promise; the seed finds it again. Cut, as values may have a megabyte.
  const set = fc.stringify(details.counterexample).slice(0, 2_000);
  console.error(`seed ${seed}, run ${details.numRuns}: ${details.errorInstance}\n${set}`);
  Deno.exit(1);
}
const seconds = (ms: number) => `${(ms / 1000).toFixed(0)} s`;
const number = (n: number) => n.toLocaleString("en");
const what =
  `${number(count)} hostile label sets, half of them with published ports (seed ${seed}): ` +
  "thrown, neighbours affected, rejected without a reason";
const command = `deno run -A scripts/measure/hostile_labels.ts ${count} ${seed}`;
// Zeros, or `examine` would have thrown.
const figure = `0, 0, 0; ${number(rejected)} rejected, ${number(registered)} registered; ` +
  `${seconds(performance.now() - began)}, of which rules and checks ${seconds(spent)}, ` +
  `slowest set ${slowest.toFixed(0)} ms`;
console.log(`| ${what} | \`${command}\` | ${figure} |`);
