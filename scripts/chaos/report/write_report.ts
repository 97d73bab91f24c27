// Writes the report and its picture into docs/. Owns where they lie, not what stands in them.
import { run } from "../../testing/docker.ts";
import type { RunResult } from "../running/result.ts";
import { markdownOf } from "./markdown.ts";
import { timelineSvg } from "./timeline.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;

/** Writes docs/chaos.md and docs/chaos/timeline.svg, of the longest run; returns what was written. */
export async function writeReport(results: readonly RunResult[]): Promise<readonly string[]> {
  const [longest] = [...results].sort((a, b) => b.episodes.length - a.episodes.length);
  if (!longest) throw new TypeError("Cannot write a report: there is no run");
  await Deno.mkdir(`${ROOT}docs/chaos`, { recursive: true });
  const page = `${ROOT}docs/chaos.md`;
  const picture = `${ROOT}docs/chaos/timeline.svg`;
  await Deno.writeTextFile(picture, timelineSvg(longest));
  await Deno.writeTextFile(page, markdownOf(results, "chaos/timeline.svg"));
  // As every file of the repository has to be.
  await run(Deno.execPath(), ["fmt", "--quiet", page], { cwd: ROOT });
  return [page, picture];
}
