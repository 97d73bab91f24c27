// `deno task chaos:walks`: millions of random schedules a minute through the registrator's rules.
import { parseArgs } from "node:util";
import { bugNamed, exitWith, progress, whole } from "../search_command.ts";
import { BUGS } from "../simulation/bugs.ts";
import { type Order, searchInParallel, story, WALK_BUGS, type WalkBug } from "./search.ts";

const HELP =
  `Moves the registrator's own rules (roster, plan, inheritance) by hand through random changes and faults,
with messages that arrive in random order, and checks what must hold all along and after quiet.

  deno task chaos:walks                              1,000,000 schedules of a seed by chance
  deno task chaos:walks --schedules 50000000 --seed 1
  deno task chaos:walks --bugs                       how soon each planted bug is found

  --schedules N   how many at most (1000000)
  --seed N        of the first machine
  --threads N     one for each core, unless this says otherwise
  --bug NAME      plants a bug: ${Object.keys(WALK_BUGS).join(", ")}
  --bugs          plants each of them, one after the other

Exit code: 0 nothing found (with --bugs: each found), 1 a violation (with --bugs: one not found), 2 wrong arguments.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: "string", default: "1000000" },
      threads: { type: "string", default: String(navigator.hardwareConcurrency) },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      bug: { type: "string" },
      bugs: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const order = {
    seed: whole("seed", values.seed),
    schedules: whole("schedules", values.schedules),
  };
  const threads = Math.max(1, whole("threads", values.threads));
  if (!values.bugs) {
    return await run(
        { ...order, bug: values.bug === undefined ? undefined : bugNamed(WALK_BUGS, values.bug) },
        threads,
      )
      ? 1
      : 0;
  }
  let missed = 0;
  for (const bug of Object.keys(WALK_BUGS) as WalkBug[]) {
    if (!await run({ ...order, bug }, threads)) missed++;
  }
  return missed === 0 ? 0 : 1;
}

/** Searches and prints; true when something was found. */
async function run(order: Order, threads: number): Promise<boolean> {
  const { seed, schedules: most, bug } = order;
  console.log(
    `seed ${seed}, ${most} schedules at most${bug ? `, planted: ${BUGS[bug].what}` : ""}`,
  );
  const { found, schedules, seconds, simulated } = await searchInParallel(order, {
    each: progress(),
    threads,
  });
  const minute = (60 * schedules / seconds / 1e6).toFixed(2);
  const days = (simulated / 86_400_000).toFixed(1);
  console.log(
    `${found ? "FOUND" : "nothing found"} after ${schedules} schedules, ${seconds.toFixed(1)} s ` +
      `(${minute} million a minute, ${days} days of simulated time)`,
  );
  if (!found) return false;
  console.log(`  seed ${found.seed}, its schedule ${found.nth}: ${found.violation}`);
  for (const what of story(found, bug)) console.log(`    ${what}`);
  return true;
}

if (import.meta.main) await exitWith(main);
