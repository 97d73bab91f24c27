// `scripts/rollout`: arguments, signals, the parts, the exit code. Owns no step of a rollout.
import { CommanderError } from "commander";
import { delay } from "../../discovery/delay.ts";
import { parseArguments } from "./arguments.ts";
import { dockerCli, DockerError } from "./docker_cli.ts";
import { JournalVolume } from "./journal.ts";
import { NoSuchServiceError, readService } from "./project.ts";
import { Rollcall } from "./rollcall.ts";
import { EXIT, rollOut } from "./rollout.ts";

const began = performance.now();
const say = (text: string) =>
  console.log(`[${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s] ${text}`);

async function main(args: readonly string[]): Promise<number> {
  const write = (text: string) => console.log(text.trimEnd());
  const warn = (text: string) => console.error(text.trimEnd());
  const { service: name, compose, rollcall: project, build, pull, ...options } = parseArguments(
    args,
    { write, warn },
  );
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (stop.signal.aborted) Deno.exit(EXIT.interrupted);
      say("Ending in good order; once more ends at once. Run it again to finish what is half done");
      stop.abort();
    });
  }
  for (const [wanted, verb] of [[pull, "pull"], [build, "build"]] as const) {
    if (!wanted || options.dryRun) continue;
    const code = await dockerCli.show([...compose, verb, name]);
    if (code !== 0) {
      throw new DockerError(`docker compose ${verb} ${name} failed; nothing was changed.`);
    }
    if (stop.signal.aborted) return EXIT.interrupted;
  }
  const service = await readService(dockerCli, compose, name);
  const { networks } = service;
  const rollcall = await Rollcall.find(dockerCli, { project, own: service.project, networks });
  const journal = new JournalVolume(dockerCli, service.project, name);
  return await rollOut({
    ...{ docker: dockerCli, compose, service, rollcall, journal, say },
    ...{ now: () => performance.now(), wait: delay, signal: stop.signal },
  }, options);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (error instanceof CommanderError) Deno.exit(error.exitCode === 0 ? EXIT.done : EXIT.refused);
    const refused = error instanceof NoSuchServiceError;
    if (!refused && !(error instanceof DockerError)) throw error;
    console.error(error.message);
    Deno.exit(refused ? EXIT.refused : EXIT.unreachable);
  }
}
