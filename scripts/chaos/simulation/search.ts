// Runs many schedules, and makes the one that shows a violation as short as it gets. Owns no schedule and no rule.
import { type Bug, type BugName, BUGS } from "./bugs.ts";
import { outsidePromises } from "./microtasks.ts";
import { parallelSearch, type Portion, type Searched, type Sharing } from "./parallel_search.ts";
import { drawChain, type Schedule, type Step } from "./schedule.ts";
import { type Outcome, World } from "./world.ts";

/** A schedule that shows a violation. */
export interface Found {
  readonly schedule: Schedule;
  readonly violation: string;
}

export type Order = Portion<BugName>;

/** So many schedules are run on one machine, one after the other: an opening costs more than most of them. */
const CHAIN = 50;
/** With so many seeds the last schedule of a chain is tried alone. */
const TRIES = 300;
/** How long schedules run at a stretch, in ms. */
const TURN = 100;

interface Options {
  readonly bug?: BugName | undefined;
  readonly tell?: boolean;
}

/** Runs one schedule, with a planted bug or without. */
export function simulate(schedule: Schedule, options: Options = {}): Promise<Outcome> {
  return outsidePromises(() => simulateNow(schedule, options));
}

function simulateNow(schedule: Schedule, { bug, tell = false }: Options): Outcome {
  const { mistakes, plant }: Bug = bug ? BUGS[bug] : { what: "" };
  const heal = plant?.();
  try {
    return new World(schedule, { tell, ...(mistakes && { mistakes }) }).run();
  } finally {
    heal?.();
  }
}

/** Runs the schedules of `seed`, `seed` + 1 and so on until one shows a violation, `schedules` at most. */
export async function search(
  { seed, schedules, bug, each = () => {} }: Order & {
    /** Told now and then how many have run. */
    readonly each?: (ran: number) => void;
  },
): Promise<Searched<Found>> {
  const began = performance.now();
  let simulated = 0;
  let ran = 0;
  let found: Found | undefined;
  const some = () => {
    const end = performance.now() + TURN;
    while (ran < schedules && found === undefined && performance.now() < end) {
      const count = Math.min(CHAIN, schedules - ran);
      const schedule = drawChain(seed + ran, count);
      const { violation, rests, lasted } = simulateNow(schedule, { bug });
      simulated += lasted;
      ran += rests + 1;
      if (violation !== undefined) found = { schedule: upTo(schedule, rests), violation };
    }
  };
  while (ran < schedules && found === undefined) {
    await outsidePromises(some);
    each(ran);
  }
  return { found, schedules: ran, simulated, seconds: (performance.now() - began) / 1000 };
}

/** The same on several threads. */
export function searchInParallel(
  order: Order,
  sharing: Omit<Sharing, "worker" | "portion"> = {},
): Promise<Searched<Found>> {
  const worker = import.meta.resolve("./search_worker.ts");
  return parallelSearch(order, { ...sharing, worker, portion: 10 * CHAIN });
}

/** The fewest steps, and the roundest times, that still show some violation (ddmin, one step at a time at the end). */
export async function shrink(found: Found, bug?: BugName): Promise<Found> {
  let best = found;
  const attempt = async (steps: readonly Step[], seed = best.schedule.seed): Promise<boolean> => {
    const schedule = { seed, steps };
    const { violation } = await simulate(schedule, bug && { bug });
    if (violation === undefined) return false;
    best = { schedule, violation };
    return true;
  };
  const { seed, steps } = found.schedule;
  const last = steps.slice(steps.slice(0, -1).findLastIndex(({ what }) => what === "rest") + 1);
  // What went before seldom matters; but without it, delays are others.
  for (let other = seed; last.length < steps.length && other < seed + TRIES; other++) {
    if (await attempt(last, other)) break;
  }
  for (let size = best.schedule.steps.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; from < best.schedule.steps.length;) {
      const { steps } = best.schedule;
      if (!await attempt([...steps.slice(0, from), ...steps.slice(from + size)])) from += size;
    }
  }
  for (const grain of [1_000, 100]) {
    for (let i = 0; i < best.schedule.steps.length; i++) {
      const { steps } = best.schedule;
      const step = { ...steps[i]!, at: Math.floor(steps[i]!.at / grain) * grain };
      const fits = i === 0 || step.at >= steps[i - 1]!.at;
      if (fits && step.at !== steps[i]!.at) await attempt(steps.with(i, step));
    }
  }
  return best;
}

/** Without what comes after the rest that follows so many. */
function upTo({ seed, steps }: Schedule, rests: number): Schedule {
  let left = rests;
  const end = steps.findIndex(({ what }) => what === "rest" && left-- === 0);
  return { seed, steps: end < 0 ? steps : steps.slice(0, end + 1) };
}
