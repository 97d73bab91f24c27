// Which subjects can run here: whether the images that they need can be had. Builds nothing.

import { docker } from "../../testing/docker.ts";
import type { Subject } from "../subjects/subjects.ts";

/** How long an image registry has to begin to deliver, in ms. Closed networks swallow packets. */
const pullTimeout = 10_000;

/** The images of a subject that can neither be found here nor be pulled. */
export async function missingImages({ images }: Subject): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [variable, fallback] of Object.entries(images)) {
    const image = await setting(variable) ?? fallback;
    if (!await isLocal(image) && !await pull(image)) missing.push(`${image} (${variable})`);
  }
  return missing;
}

async function isLocal(image: string): Promise<boolean> {
  return await docker("image", "inspect", image).then(() => true, () => false);
}

/** Pulls, unless the registry does not even answer in time. */
async function pull(image: string): Promise<boolean> {
  const answers = await succeeds(["manifest", "inspect", image], AbortSignal.timeout(pullTimeout));
  return answers && await succeeds(["pull", "--quiet", image], AbortSignal.timeout(10 * 60_000));
}

async function succeeds(args: string[], signal: AbortSignal): Promise<boolean> {
  const command = new Deno.Command("docker", {
    args,
    signal,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  return await command.output().then(({ success }) => success, () => false);
}

/** A variable as Compose would see it: from the environment, else from its env files. */
async function setting(variable: string): Promise<string | undefined> {
  const direct = Deno.env.get(variable);
  if (direct) return direct;
  const { rootFolder } = await import("./folders.ts");
  const files = Deno.env.get("COMPOSE_ENV_FILES")?.split(",") ?? [`${rootFolder}/.env`];
  let found: string | undefined;
  for (const file of files) {
    const text = await Deno.readTextFile(file).catch(() => "");
    found = new RegExp(`^${variable}=(.+)$`, "m").exec(text)?.[1] ?? found;
  }
  return found;
}
