// Makes a schedule that shows a violation as short as it can, in bounded time. Runs nothing itself: `shows` does.
import type { Episode, Schedule } from "../schedule.ts";

export interface ShrinkOptions {
  /** Whether a schedule still shows it, on a fresh stack. */
  readonly shows: (schedule: Schedule) => Promise<boolean>;
  /** Told before each try. */
  readonly note: (text: string) => void;
  /** No try is begun when this says so. */
  readonly over: () => boolean;
}

/** So many episodes before the violating one are tried as its cause, one after the other. */
const LEADS = [0, 1, 3, 7] as const;

/**
 * The shortest schedule found that ends with episode `number` and still shows it; undefined: it was not seen again.
 * First which episodes are needed, then which of their steps, one by one.
 */
export async function shrink(
  schedule: Schedule,
  number: number,
  { shows, note, over }: ShrinkOptions,
): Promise<Schedule | undefined> {
  const end = schedule.episodes.findIndex((episode) => episode.number === number) + 1;
  const tried = async (episodes: readonly Episode[]) => {
    if (over()) return false;
    note(`trying ${inWords(episodes)}`);
    return await shows({ ...schedule, episodes });
  };

  let shortest: readonly Episode[] | undefined;
  for (const lead of LEADS) {
    const episodes = schedule.episodes.slice(Math.max(0, end - 1 - lead), end);
    // What depends on a moment may not show at once.
    for (let tries = 2; tries > 0 && !shortest; tries--) {
      if (await tried(episodes)) shortest = episodes;
    }
    if (shortest || end - 1 - lead <= 0) break;
  }
  if (!shortest) return undefined;

  for (let i = 0; i < shortest.length;) {
    const without: readonly Episode[] = shortest.toSpliced(i, 1);
    if (without.length > 0 && await tried(without)) shortest = without;
    else i++;
  }
  for (let i = 0; i < shortest.length; i++) {
    for (let j = 0; j < shortest[i]!.steps.length;) {
      const episode: Episode = { ...shortest[i]!, steps: shortest[i]!.steps.toSpliced(j, 1) };
      const without = shortest.with(i, episode);
      if (episode.steps.length > 0 && await tried(without)) shortest = without;
      else j++;
    }
  }
  return { ...schedule, episodes: shortest };
}

function inWords(episodes: readonly Episode[]): string {
  const steps = episodes.reduce((sum, { steps }) => sum + steps.length, 0);
  return `${episodes.length} episode${episodes.length === 1 ? "" : "s"} with ${steps} steps`;
}
