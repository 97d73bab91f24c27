// Runs walks until one shows a violation. Owns no rule.
import { type Bug, type BugName, BUGS } from "../simulation/bugs.ts";
import {
  parallelSearch,
  type Portion,
  type Searched,
  type Sharing,
} from "../simulation/parallel_search.ts";
import { Random } from "../simulation/random.ts";
import { type Mistakes, Violation, Walk } from "./walk.ts";

/** A schedule that shows a violation. */
export interface Found {
  /** Of its machine, and the how many-th schedule on it shows it: the same again, each time. */
  readonly seed: number;
  readonly nth: number;
  readonly violation: string;
}

/** The simulation's planted mistakes that concern what is walked through here. */
export const WALK_BUGS = {
  "list-brings-back": {},
  "absence-believed": { believesAbsence: true },
  "last-change-lost": { losesLast: true },
  "vouches-early": {},
  "pause-ignored": {},
  "others-deleted": { takesAll: true },
} as const satisfies Partial<Readonly<Record<BugName, Mistakes>>>;
export type WalkBug = keyof typeof WALK_BUGS;
export type Order = Portion<WalkBug>;

/** So many schedules are run on one machine, one after the other. */
const CHAIN = 100;

/** Runs schedules until one shows a violation. */
export function search({ seed, schedules, bug }: Order): Searched<Found> {
  const began = performance.now();
  let [ran, simulated] = [0, 0];
  let found: Found | undefined;
  const heal = plant(bug);
  try {
    while (ran < schedules && !found) {
      const count = Math.min(CHAIN, schedules - ran);
      const { violation, nth, lasted } = chain(seed + ran, count, bug);
      simulated += lasted;
      if (violation !== undefined) found = { seed: seed + ran, nth, violation };
      ran += nth;
    }
  } finally {
    heal();
  }
  return { found, schedules: ran, simulated, seconds: (performance.now() - began) / 1000 };
}

/** The same on several threads. */
export function searchInParallel(
  order: Order,
  sharing: Omit<Sharing, "worker" | "portion"> = {},
): Promise<Searched<Found>> {
  const worker = import.meta.resolve("./search_worker.ts");
  return parallelSearch(order, { ...sharing, worker, portion: 200 * CHAIN });
}

/** The machine of `seed` from its opening on, told moment by moment; of the last schedule alone. */
export function story({ seed, nth }: Found, bug?: WalkBug): readonly string[] {
  const heal = plant(bug);
  let told: string[] = [];
  try {
    chain(seed, nth, bug, (what) => told.push(what), () => told = []);
  } finally {
    heal();
  }
  return told;
}

/** How many schedules were run, the violation that the last of them showed, and how much time passed in them, in ms. */
function chain(
  seed: number,
  count: number,
  bug: WalkBug | undefined,
  tell?: (what: string) => void,
  next: () => void = () => {},
): { readonly violation: string | undefined; readonly nth: number; readonly lasted: number } {
  let walk: Walk | undefined;
  let nth = 1;
  try {
    walk = new Walk(new Random(seed), bug && WALK_BUGS[bug], tell);
    for (;; nth++) {
      next();
      walk.run();
      if (nth === count) return { violation: undefined, nth, lasted: walk.lasted };
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { violation: error.message, nth, lasted: walk?.lasted ?? 0 };
  }
}

/** Returns what undoes it. */
function plant(bug: WalkBug | undefined): () => void {
  // What is planted in the reconciler is planted in the walk instead.
  if (bug === undefined || bug === "others-deleted") return () => {};
  const { plant }: Bug = BUGS[bug];
  return plant?.() ?? (() => {});
}
