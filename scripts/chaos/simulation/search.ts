// Runs many schedules, and makes the one that shows a violation as short as it gets. Owns no schedule and no rule.
import { type Bug, type BugName, BUGS } from "./bugs.ts";
import { drawSchedule, type Schedule, type Step } from "./schedule.ts";
import { type Outcome, World } from "./world.ts";

/** A schedule that shows a violation. */
export interface Found {
  readonly schedule: Schedule;
  readonly violation: string;
}

/** What a search did. */
export interface Result {
  readonly found: Found | undefined;
  readonly schedules: number;
  /** Simulated time, in ms, and real time, in s. */
  readonly simulated: number;
  readonly seconds: number;
}

/** Runs one schedule, with a planted bug or without. */
export async function simulate(
  schedule: Schedule,
  { bug, tell = false }: { readonly bug?: BugName; readonly tell?: boolean } = {},
): Promise<Outcome> {
  const { mistakes, plant }: Bug = bug ? BUGS[bug] : { what: "" };
  const heal = plant?.();
  try {
    return await new World(schedule, { tell, ...(mistakes && { mistakes }) }).run();
  } finally {
    heal?.();
  }
}

/** Runs the schedules of `seed`, `seed` + 1 and so on until one shows a violation, `schedules` at most. */
export async function search(
  { seed, schedules, bug, each = () => {} }: {
    readonly seed: number;
    readonly schedules: number;
    readonly bug?: BugName;
    /** Told after each schedule how many have run. */
    readonly each?: (ran: number) => void;
  },
): Promise<Result> {
  const began = performance.now();
  let simulated = 0;
  let ran = 0;
  let found: Found | undefined;
  while (ran < schedules && found === undefined) {
    const schedule = drawSchedule(seed + ran++);
    const { violation, lasted } = await simulate(schedule, bug && { bug });
    simulated += lasted;
    if (violation !== undefined) found = { schedule, violation };
    each(ran);
  }
  return { found, schedules: ran, simulated, seconds: (performance.now() - began) / 1000 };
}

/** The fewest steps, and the roundest times, that still show some violation (ddmin, one step at a time at the end). */
export async function shrink(found: Found, bug?: BugName): Promise<Found> {
  let best = found;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    const schedule = { ...best.schedule, steps };
    const { violation } = await simulate(schedule, bug && { bug });
    if (violation === undefined) return false;
    best = { schedule, violation };
    return true;
  };
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
