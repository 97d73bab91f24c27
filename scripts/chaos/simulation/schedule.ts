// What happens in one simulation, as plain data that can be printed, shortened and run again. Owns no effect.
import { Random } from "./random.ts";

/** Changes: what people, applications and Docker do. */
export const CHANGES = [
  ...["start", "start", "stop", "stop", "kill", "crash", "hangup", "pause", "unpause", "healthy"],
  ...["unhealthy", "listen", "unlisten", "restart", "burst", "drain", "undrain"],
] as const;
/** Faults: what goes wrong. */
export const FAULTS = [
  ...["dockerAway", "dockerSlow", "streamCut", "streamDead", "eventsLost"],
  ...["registratorRestart", "registratorKill", "registratorStop", "registratorCut"],
  ...["etcdAway", "etcdSilent", "etcdSlow", "repliesLost", "wipe", "purge", "keyDeleted"],
  ...["keySpoilt", "edgeCut", "watchLost", "pokesLost", "confdKill", "confdHang", "applyKill"],
  ...["applyHang", "sweepKill", "checkFails", "nginxStuck", "nginxKill"],
] as const;
export type Kind = (typeof CHANGES)[number] | (typeof FAULTS)[number] | "rest";

/**
 * One thing that happens: when (ms since the opening or the last rest), what, to which container, and
 * a number that says how. A rest lasts until everybody is in rotation again and all is well; where `n`
 * is 1, until all that has gone wrong must have healed by itself.
 */
export interface Step {
  readonly at: number;
  readonly what: Kind;
  readonly who: number;
  readonly n: number;
}

/** The steps, and the seed of every delay in between. */
export interface Schedule {
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** Whom alone it can happen to: one has a HEALTHCHECK, one is probed all along (docker.ts). */
const ONLY: Partial<Record<Kind, number>> = { healthy: 1, unhealthy: 1, listen: 2, unlisten: 2 };

/** How many steps a schedule has: most mistakes show in few of them, and so more schedules are seen. */
const STEPS = { least: 2, most: 4 } as const;
/** Of so many schedules one is long, and is given all the time that anything may take to heal. */
const LONG = { every: 10, most: 8 } as const;

/** Draws a schedule: a few kinds of faults each, so that they meet themselves and each other. */
export function drawSchedule(seed: number): Schedule {
  const random = new Random(seed);
  const changes = some(random, CHANGES, 6);
  const faults = some(random, FAULTS, 4);
  const share = random.next();
  const pace = random.pick([30, 300, 2_000, 8_000]);
  const steps: Step[] = [];
  let at = random.between(0, 1_000);
  for (
    let left = random.between(STEPS.least, isLong(seed) ? LONG.most : STEPS.most);
    left > 0;
    left--
  ) {
    const what = random.pick<Kind>(random.chance(share) ? faults : changes);
    const who = ONLY[what] ?? random.between(0, 2);
    // Most times and durations hang on it: short ones meet each other, long ones outlast leases.
    const n = random.chance(0.25) ? random.between(0, 9_999) : Math.floor(10_000 ** random.next());
    steps.push({ at, what, who, n });
    at += random.chance(0.3) ? random.between(0, 20) : random.between(0, pace);
  }
  return { seed, steps };
}

/** The schedules of `seed`, `seed` + 1 and so on, on one machine, with a rest after each but the last. */
export function drawChain(seed: number, count: number): Schedule {
  const steps: Step[] = [];
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      const n = isLong(seed + i - 1) ? 1 : 0;
      steps.push({ at: steps.at(-1)!.at, what: "rest", who: 0, n });
    }
    steps.push(...drawSchedule(seed + i).steps);
  }
  return { seed, steps };
}

function isLong(seed: number): boolean {
  return seed % LONG.every === 0;
}

function some<T>(random: Random, items: readonly T[], most: number): readonly T[] {
  return Array.from({ length: random.between(1, most) }, () => random.pick(items));
}
