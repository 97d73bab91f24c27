// What is kept of an episode in which something was broken: enough to understand it, and to run it again.
import type { Arena } from "./arena.ts";
import type { EpisodeResult } from "./result.ts";
import { stepInWords } from "./run_episode.ts";
import type { Schedule } from "../schedule.ts";

/** Before the episode, in ms: what led to it. */
const LEAD = 30_000;

/** Appends what has happened since the last call to the run's whole timeline. */
export async function saveTimeline(folder: string, arena: Arena): Promise<void> {
  const lines = arena.timeline.slice(arena.saved).sort((a, b) => a.at - b.at)
    .map(({ at, what }) => `${new Date(at).toISOString()}  ${what}\n`);
  arena.saved = arena.timeline.length;
  await Deno.writeTextFile(`${folder}/timeline.txt`, lines.join(""), { append: true });
}

/** Writes it below `folder`; returns where. */
export async function saveEvidence(
  folder: string,
  arena: Arena,
  result: EpisodeResult,
  schedule: Schedule,
): Promise<string> {
  const { episode, from, violations, lost } = result;
  const where = `${folder}/episode_${String(episode.number).padStart(3, "0")}`;
  await Deno.mkdir(`${where}/logs`, { recursive: true });
  const timeline = arena.timeline.filter(({ at }) => at >= from - LEAD)
    .sort((a, b) => a.at - b.at)
    .map(({ at, what }) =>
      `${((at - from) / 1000).toFixed(3).padStart(9)}  ${new Date(at).toISOString()}  ${what}`
    );
  const text = [
    `seed ${schedule.seed}, episode ${episode.number}`,
    "",
    ...violations.map((what) => `- ${what}`),
    "",
    "Steps:",
    ...episode.steps.map((step) => `- ${stepInWords(step)}`),
    "",
    "Again, this episode alone:",
    `    deno task chaos --replay ${where}/schedule.json`,
    "",
    "Timeline, in s since the episode's beginning:",
    ...timeline,
    "",
  ].join("\n");
  const alone: Schedule = { ...schedule, episodes: [episode] };
  const json = (value: unknown) =>
    JSON.stringify(value, (_, v) => v instanceof Set ? [...v] : v, 1);
  await Promise.all([
    Deno.writeTextFile(`${where}/story.txt`, text),
    Deno.writeTextFile(`${where}/schedule.json`, json(alone)),
    Deno.writeTextFile(
      `${where}/lost.json`,
      json(lost.map((one) => ({ ...one, ms: one.at - from, took: one.ended - one.at }))),
    ),
    Deno.writeTextFile(`${where}/looks.json`, json(arena.looks.filter(({ at }) => at >= from))),
  ]);
  for (const [name, log] of await arena.ground.logs(new Date(from - LEAD))) {
    await Deno.writeTextFile(`${where}/logs/${name}.log`, log);
  }
  return where;
}
