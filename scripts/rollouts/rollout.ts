// A rollout, step by step: start, await rotation, drain, await the last request, stop, remove; or undo. Owns no text parsing.
import { ask, type DockerCli, DockerError } from "./docker_cli.ts";
import { has, lacks, oldWorkers } from "./edge.ts";
import type { JournalVolume } from "./journal.ts";
import { describe, isDone, type Plan, planOf, type Wishes } from "./plan.ts";
import { readReplicas, type Replica, type Service } from "./project.ts";
import type { Rollcall } from "./rollcall.ts";

export interface RolloutOptions extends Wishes {
  readonly dryRun: boolean;
  /** How long new instances may take until they are in rotation, in ms. */
  readonly timeout: number;
}

/** What a rollout needs from outside. */
export interface RolloutContext {
  readonly docker: DockerCli;
  /** The words from `compose` to the flags that name project and files. */
  readonly compose: readonly string[];
  readonly service: Service;
  readonly rollcall: Pick<Rollcall, "list" | "drain" | "undrain" | "explain" | "look">;
  readonly journal: Pick<JournalVolume, "read" | "write" | "remove">;
  readonly say: (text: string) => void;
  readonly now: () => number;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Fires when somebody wants it to end: undone before the new ones are in rotation, else finished. */
  readonly signal: AbortSignal;
}

export const EXIT = { done: 0, failed: 1, refused: 2, unreachable: 3, interrupted: 130 } as const;

/** Between two looks, in ms. */
const EVERY = 300;
/** How long Docker, etcd or nginx may not answer, in ms. */
const PATIENCE = 20_000;
/** nginx closes what old workers still have after its `worker_shutdown_timeout`; this is far beyond it, in ms. */
const LONGEST_GOODBYE = 15 * 60_000;

/** The new ones are not in rotation, and will not be; the message says why. */
class NotAdmitted extends Error {}

/** Rolls the service out and returns the exit code. Throws a DockerError when Docker or Rollcall does not answer. */
export async function rollOut(context: RolloutContext, options: RolloutOptions): Promise<number> {
  const { service, say, journal } = context;
  if (service.obstacles.length > 0) {
    say(`Cannot roll out ${service.name}: a second instance beside the first is not possible.`);
    for (const obstacle of service.obstacles) say(`  ${obstacle}`);
    return EXIT.refused;
  }
  const before = await journal.read();
  const plan = planOf(service.replicas, options, service.wanted, before);
  if (options.dryRun) {
    if (isDone(plan)) say(upToDate(service, plan));
    else for (const line of describe(plan)) say(line);
    return EXIT.done;
  }
  if (isDone(plan)) {
    await tidy(context, before?.old ?? []);
    say(upToDate(service, plan));
    return EXIT.done;
  }
  if (plan.resumed) say("An earlier rollout ended midway: finishing it");
  else {
    await journal.write({ old: plan.retire.map(({ id }) => id), instances: plan.instances });
  }
  let fresh: readonly Replica[] = [];
  try {
    fresh = await start(context, plan);
    await admitted(context, [...plan.keep, ...fresh], options.timeout);
  } catch (error) {
    if (!(error instanceof NotAdmitted || error instanceof DockerError)) throw error;
    say(error.message);
    try {
      await undo(context, plan, before?.old);
    } catch (error) {
      say("The old ones serve, the new are not all gone. Run this again to finish or undo.");
      throw error;
    }
    return context.signal.aborted ? EXIT.interrupted : EXIT.failed;
  }
  try {
    await retire(context, plan.retire);
    await tidy(context, plan.retire.map(({ id }) => id));
  } catch (error) {
    say("The new ones serve, the old are not all gone. Run this again to finish.");
    throw error;
  }
  say(`${service.name}: ${plan.instances} of ${plan.instances} new in rotation, the old are gone`);
  return EXIT.done;
}

function upToDate({ name }: Service, { keep }: Plan): string {
  return `${name}: nothing to do, ${keep.length} run this image and configuration. --force replaces them anyway.`;
}

/** Starts the new ones; the old ones are not touched. */
async function start(context: RolloutContext, plan: Plan): Promise<readonly Replica[]> {
  const { docker, compose, service, say } = context;
  if (plan.discard.length > 0) {
    await ask(docker, "rm", ...plan.discard.map(({ id }) => id));
  }
  const there = plan.retire.length + plan.keep.length;
  if (plan.start > 0) {
    say(`Starting ${plan.start} new ${service.name} beside ${there}`);
    const scale = ["--scale", `${service.name}=${there + plan.start}`];
    const up = ["up", "--detach", "--no-deps", "--no-recreate", ...scale, service.name];
    await ask(docker, ...compose, ...up);
  }
  const fresh = await newOnes(context, plan);
  if (fresh.length !== plan.start) {
    throw new NotAdmitted(`Compose started ${fresh.length} containers instead of ${plan.start}.`);
  }
  return fresh;
}

/** Those that were not there when the plan was made. */
async function newOnes(
  { docker, service }: RolloutContext,
  plan: Plan,
): Promise<readonly Replica[]> {
  const known = new Set([...plan.retire, ...plan.keep, ...plan.discard].map(({ id }) => id));
  const ids = await ask(
    docker,
    ...["ps", "--all", "--quiet", "--no-trunc"],
    ...["--filter", `label=com.docker.compose.project=${service.project}`],
    ...["--filter", `label=com.docker.compose.service=${service.name}`],
    ...["--filter", "label=com.docker.compose.oneoff=False"],
  );
  return await readReplicas(docker, ids.split("\n").filter((id) => id && !known.has(id)));
}

/** Resolves when nginx serves with all of them; throws NotAdmitted when that will not be. */
async function admitted(
  context: RolloutContext,
  replicas: readonly Replica[],
  timeout: number,
): Promise<void> {
  const { docker, rollcall, say, now, wait, signal } = context;
  const end = now() + timeout;
  const waiting = new Map(replicas.map((replica) => [replica.id, "not seen by the registrator"]));
  while (waiting.size > 0) {
    if (signal.aborted) throw new NotAdmitted("Interrupted.");
    const [{ rows }, edges, states] = await patiently(context, () =>
      Promise.all([
        rollcall.list(),
        rollcall.look(),
        readReplicas(docker, [...waiting.keys()]),
      ]));
    for (const replica of replicas) {
      if (!waiting.has(replica.id)) continue;
      const state = states.find(({ id }) => id === replica.id);
      if (state === undefined || ["exited", "dead"].includes(state.status)) {
        const how = state ? `has ended with exit code ${state.exitCode}` : "is gone";
        throw new NotAdmitted(await why(context, replica, `${replica.name} ${how}.`));
      }
      const own = rows.filter(({ containerId }) => containerId === replica.id);
      const rejected = own.find(({ state }) => state === "rejected");
      if (rejected) {
        const text = `${replica.name} is rejected: ${rejected.reason}`;
        throw new NotAdmitted(await why(context, replica, text));
      }
      const behind = own.find(({ key }) => key === undefined);
      // nginx has neither UDP ports nor those of weight 0: their keys are all that there is.
      const served = own.filter(({ port, weight }) => !port.endsWith("udp") && weight !== 0)
        .flatMap(({ address }) => address ?? []);
      if (own.length > 0 && !behind && edges.every((edge) => has(edge, served))) {
        waiting.delete(replica.id);
        say(`${replica.name} is in rotation`);
      } else if (own.length > 0) {
        waiting.set(replica.id, behind ? `${behind.state}: ${behind.reason}` : "not in nginx yet");
      }
    }
    const [first] = waiting;
    if (first && now() >= end) {
      const late = replicas.find(({ id }) => id === first[0])!;
      const text = `${late.name} is not in rotation after ${timeout / 1000} s (${first[1]})`;
      throw new NotAdmitted(await why(context, late, text));
    }
    if (first) await wait(EVERY, signal);
  }
}

/** The sentence, with what Rollcall and the container's own log say. */
async function why(
  { docker, rollcall }: RolloutContext,
  { id }: Replica,
  sentence: string,
): Promise<string> {
  const [explained, logs] = await Promise.all([
    rollcall.explain(id),
    docker.run(["logs", "--tail", "10", id]),
  ]);
  const indented = (text: string) => text.trim().replace(/^/gm, "    ");
  const words = `${logs.stdout}${logs.stderr}`;
  return [
    sentence,
    ...(explained === "" ? [] : [indented(explained)]),
    ...(words.trim() === "" ? [] : ["  The last lines of its log:", indented(words)]),
  ].join("\n");
}

/** Takes containers away without a request lost: out of rotation, idle, and only then the stop signal. */
async function retire(context: RolloutContext, replicas: readonly Replica[]): Promise<void> {
  const { docker, rollcall, say, now } = context;
  if (replicas.length === 0) return;
  const ids = replicas.map(({ id }) => id);
  const names = replicas.map(({ name }) => name);
  say(`Draining ${names.join(", ")}`);
  const served = new Set(replicas.flatMap(({ addresses }) => addresses));
  await patiently(context, async () => {
    const { rows } = await rollcall.list(); // anew at each try: who has ended meanwhile is not there any more
    const own = rows.filter(({ containerId }) => ids.includes(containerId));
    for (const { address } of own) if (address !== undefined) served.add(address);
    await rollcall.drain([...new Set(own.map(({ containerId }) => containerId))]);
  });
  const began = now();
  await idle(context, [...served]);
  say(`Idle after ${((now() - began) / 1000).toFixed(1)} s: stopping ${names.join(", ")}`);
  const present = await readReplicas(docker, ids);
  if (present.length > 0) {
    await ask(docker, "stop", ...present.map(({ id }) => id));
    await ask(docker, "rm", ...present.map(({ id }) => id));
  }
  await patiently(context, () => rollcall.undrain(names));
}

/**
 * Resolves when no request for these can be under way or come any more: the live configuration lacks them, and every
 * worker that had an older one has ended.
 */
async function idle(context: RolloutContext, addresses: readonly string[]): Promise<void> {
  const { rollcall, say, now, wait } = context;
  const end = now() + LONGEST_GOODBYE;
  let old: readonly (readonly number[])[] | undefined;
  let said = now();
  while (now() < end) {
    const edges = await patiently(context, () => rollcall.look());
    if (old === undefined && edges.every((edge) => lacks(edge, addresses))) {
      old = edges.map(oldWorkers);
      said = now();
    }
    const left = old?.flatMap((pids, i) =>
      pids.filter((pid) => edges[i]?.workers.some((worker) => worker.pid === pid))
    );
    if (left?.length === 0) return;
    if (now() - said >= 10_000) {
      said = now();
      say(
        left
          ? `Waiting: ${left.length} of nginx's old workers still have requests or connections`
          : "Waiting until nginx has taken them out",
      );
    }
    await wait(EVERY);
  }
  throw new DockerError(
    `The old instances are drained, but nginx does not let go of them. Nothing was stopped; run this again to finish.`,
  );
}

/** etcd or nginx may be away for a moment: tries again for a while before it throws what it got. */
async function patiently<T>({ now, wait }: RolloutContext, work: () => Promise<T>): Promise<T> {
  const end = now() + PATIENCE;
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DockerError) || now() >= end) throw error;
      await wait(EVERY);
    }
  }
}

/** Back to what was: the old ones in rotation, the new ones gone. */
async function undo(
  context: RolloutContext,
  plan: Plan,
  earlier: readonly string[] | undefined,
): Promise<void> {
  const { rollcall, journal, say } = context;
  await patiently(context, () => rollcall.undrain(plan.retire.map(({ name }) => name)));
  const fresh = await newOnes(context, plan);
  // What an earlier rollout started and did not bring into rotation goes as well, unless nobody else is there.
  const half = earlier !== undefined && plan.retire.length > 0 ? plan.keep : [];
  const names = plan.retire.map(({ name }) => name).join(", ");
  say(`Removing the new ones again${names === "" ? "" : `; ${names} serve on`}`);
  await retire(context, [...half, ...fresh]);
  const rest = [...plan.retire, ...(half.length > 0 ? [] : plan.keep)];
  const asBefore = earlier === undefined || rest.every(({ id }) => earlier.includes(id));
  if (asBefore) await journal.remove();
}

/** Leaves nothing of a rollout behind: its note, and drains of containers that are gone. */
async function tidy(
  { docker, rollcall, journal, service }: RolloutContext,
  old: readonly string[],
): Promise<void> {
  const { drains, rows } = await rollcall.list();
  const there = new Set((await readReplicas(docker, old)).map(({ name }) => name));
  const known = new Set(rows.map(({ container }) => container));
  const stale = [...drains.keys()].filter((name) =>
    name.startsWith(`${service.project}-${service.name}-`) && !there.has(name) && !known.has(name)
  );
  await rollcall.undrain(stale);
  await journal.remove();
}
