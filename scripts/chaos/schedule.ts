// What happens in a run, drawn from a seed as plain data: it can be printed, shortened and run again. Does nothing.
import { z } from "zod";
import type { Declared, Part } from "./faults/kind.ts";
import { Random } from "./simulation/random.ts";

const fault = z.object({
  what: z.literal("fault"),
  /** In ms since the episode's beginning. */
  at: z.int().min(0),
  kind: z.string(),
  /** How long it lasts, in ms. */
  lasts: z.int().min(0),
  /** Chooses whom it strikes. */
  who: z.int().min(0),
});
const scale = z.object({
  what: z.literal("scale"),
  at: z.int().min(0),
  to: z.int().min(1),
  /** What those that come will do at SIGTERM. */
  leaves: z.enum(["drains", "exits at once"]),
});
const episode = z.object({
  number: z.int().min(1),
  /** So many run when it begins. */
  instances: z.int().min(1),
  steps: z.array(z.discriminatedUnion("what", [fault, scale])),
});

/** A schedule as it is kept in a file. */
export const scheduleFile = z.object({
  seed: z.int(),
  minutes: z.number(),
  episodes: z.array(episode),
});

export type Step = Readonly<z.infer<typeof fault>> | Readonly<z.infer<typeof scale>>;
/** Some faults that overlap, changes beside them, then healing and quiet. */
export interface Episode extends Readonly<Omit<z.infer<typeof episode>, "steps">> {
  readonly steps: readonly Step[];
}
export interface Schedule {
  readonly seed: number;
  readonly minutes: number;
  readonly episodes: readonly Episode[];
}

/** Instances run in this number. */
export const MOST_INSTANCES = 6;
/** An episode's faults have ended by then, in ms. */
export const EPISODE_MS = 18_000;
/** No episode takes less with its healing, its quiet and its comparison, in s: so many are drawn that time ends a run. */
const SECONDS_EACH = 10;

/** How much happens in an episode. */
export interface Density {
  /** One of these is drawn for each: so many faults at once. */
  readonly faults: readonly number[];
  /** No fault lasts longer, in s, unless its kind has to. */
  readonly longest: number;
}

/** For little time: three faults at once, and short ones. */
export const DENSE: Density = { faults: [3], longest: 4 };

/** Draws as many episodes as fit into the time. Every kind comes up before one comes up twice. */
export function schedule(
  seed: number,
  minutes: number,
  kinds: readonly Declared[],
  { faults = [1, 1, 2, 2, 2, 3], longest = Infinity }: Partial<Density> = {},
): Schedule {
  if (kinds.length === 0) throw new Error("Cannot draw a schedule: there is no kind of fault");
  const random = new Random(seed);
  const deck = new Deck(random, kinds);
  const count = Math.max(1, Math.round(minutes * 60 / SECONDS_EACH));
  const episodes: Episode[] = [];
  let before = 0;
  for (let number = 1; number <= count; number++) {
    const taken = deck.take(random.pick(faults)).map((kind) => shortened(kind, longest));
    const episode = drawEpisode(number, random, taken, before);
    episodes.push(episode);
    before = endsWith(episode);
  }
  return { seed, minutes, episodes };
}

function shortened(kind: Declared, longest: number): Declared {
  const [from, to] = kind.lasts;
  return { ...kind, lasts: [from, Math.max(from, Math.min(to, longest))] };
}

/** So many instances run when an episode is over. */
export function endsWith({ steps, instances }: Episode): number {
  return steps.filter((step) => step.what === "scale").at(-1)?.to ?? instances;
}

/** `before`: so many run when it begins. It changes that first: what the last one has left deaf does not follow. */
function drawEpisode(
  number: number,
  random: Random,
  kinds: readonly Declared[],
  before: number,
): Episode {
  const harms = kinds.reduce((sum, { harms = 0 }) => sum + harms, 0);
  const faults = kinds.map((kind): Step => {
    const lasts = random.between(kind.lasts[0] * 1000, kind.lasts[1] * 1000);
    const at = random.between(500, Math.max(500, Math.min(6_000, EPISODE_MS - lasts)));
    return { what: "fault", at, kind: kind.name, lasts, who: random.between(0, 9_999) };
  });
  // One more than those that are struck stays, and nginx knows it: somebody can always answer.
  const least = harms + 1;
  const fewest = Math.max(least, random.chance(0.8) ? 2 : 1);
  const drawn = random.between(fewest, MOST_INSTANCES);
  const instances = drawn !== before ? drawn : drawn < MOST_INSTANCES ? drawn + 1 : drawn - 1;
  const scales = drawScales(random, kinds, instances, least);
  const steps = [...faults, ...scales].sort((a, b) => a.at - b.at);
  return { number, instances, steps };
}

function drawScales(
  random: Random,
  kinds: readonly Declared[],
  instances: number,
  least: number,
): readonly Step[] {
  if (kinds.some(({ scales }) => scales === "none")) return [];
  const onlyUp = kinds.some(({ scales }) => scales === "up only");
  const blind = kinds.some(({ blinds }) => blinds);
  const steps: Step[] = [];
  let now = instances;
  let wentUp = false;
  let at = random.between(0, 5_000);
  for (let left = random.between(0, 3); left > 0 && at < EPISODE_MS - 3_000; left--) {
    // While discovery is blind nginx knows only those that it knew: they must not go for others that it does not know.
    const lowest = onlyUp || (blind && wentUp) ? now : least;
    const to = random.between(lowest, MOST_INSTANCES);
    if (to !== now) {
      const leaves = random.chance(0.3) ? "exits at once" : "drains";
      steps.push({ what: "scale", at, to, leaves });
      wentUp ||= to > now;
      now = to;
    }
    at += random.chance(0.3) ? 0 : random.between(500, 6_000);
  }
  return steps;
}

/** Kinds in an order by chance; shuffled anew when all have been taken. */
class Deck {
  private rest: Declared[] = [];

  constructor(private readonly random: Random, private readonly kinds: readonly Declared[]) {}

  /** So many at most: those that share no part with one another. */
  take(count: number): readonly Declared[] {
    const taken: Declared[] = [];
    const parts = new Set<Part>();
    if (this.rest.length === 0) this.rest = this.shuffled();
    for (let i = 0; i < this.rest.length && taken.length < count;) {
      const kind = this.rest[i]!;
      if (kind.parts.some((part) => parts.has(part))) {
        i++;
        continue;
      }
      this.rest.splice(i, 1);
      taken.push(kind);
      for (const part of kind.parts) parts.add(part);
    }
    return taken;
  }

  private shuffled(): Declared[] {
    const order = this.kinds.map((kind) => ({ kind, key: this.random.next() }));
    return order.sort((a, b) => a.key - b.key).map(({ kind }) => kind);
  }
}
