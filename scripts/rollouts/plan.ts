// Which containers stay, which are retired, and how many are started. Pure; does none of it.
import type { Replica } from "./project.ts";

/** What a rollout notes before it changes anything, so that another can finish it. */
export interface Journal {
  /** Ids of those that were to be retired. */
  readonly old: readonly string[];
  /** How many instances there are to be in the end. */
  readonly instances: number;
}

export interface Wishes {
  /** How many instances there are to be in the end; undefined: as many as there are. */
  readonly scale?: number | undefined;
  /** Retire also those that are up to date. */
  readonly force: boolean;
}

export interface Plan {
  readonly instances: number;
  /** They do not run, and Compose would start them again instead of making new ones: removed first. */
  readonly discard: readonly Replica[];
  readonly retire: readonly Replica[];
  /** Up to date, and there already. */
  readonly keep: readonly Replica[];
  /** How many are to be started. */
  readonly start: number;
  /** An earlier rollout ended midway: this one finishes it. */
  readonly resumed: boolean;
}

const DEAD = new Set(["created", "exited", "dead", "removing"]);

/** The plan; `wanted` is how many the compose files ask for, where none is there to be counted. */
export function planOf(
  replicas: readonly Replica[],
  { scale, force }: Wishes,
  wanted: number,
  journal?: Journal,
): Plan {
  const discard = replicas.filter(({ status }) => DEAD.has(status));
  const alive = replicas.filter(({ status }) => !DEAD.has(status));
  const instances = scale ?? journal?.instances ?? (alive.length || wanted);
  // With a journal, "everything" is what was there when that rollout began.
  const isOld = ({ id, current }: Replica) =>
    !current || (journal ? journal.old.includes(id) : force);
  const good = alive.filter((replica) => !isOld(replica));
  const keep = good.slice(0, instances);
  return {
    instances,
    discard,
    retire: [...alive.filter(isOld), ...good.slice(instances)],
    keep,
    start: instances - keep.length,
    resumed: journal !== undefined,
  };
}

/** Whether there is nothing to be changed. Old ones that an earlier rollout stopped are to be removed yet. */
export function isDone({ retire, start, discard, resumed }: Plan): boolean {
  return retire.length === 0 && start === 0 && (discard.length === 0 || !resumed);
}

/** What will be done, a line a step. */
export function describe({ instances, discard, retire, keep, start, resumed }: Plan): string[] {
  const names = (replicas: readonly Replica[]) => replicas.map(({ name }) => name).join(", ");
  return [
    ...(resumed ? ["An earlier rollout ended midway: this one finishes it"] : []),
    ...(discard.length > 0 ? [`Remove what does not run: ${names(discard)}`] : []),
    ...(start > 0 ? [`Start ${start} new beside ${retire.length + keep.length}`] : []),
    ...(keep.length > 0 ? [`Keep what is up to date: ${names(keep)}`] : []),
    ...(start + keep.length > 0 ? [`Wait until ${instances} new are in rotation`] : []),
    ...(retire.length > 0
      ? [`Drain, await the last request of, stop and remove ${names(retire)}`]
      : []),
  ];
}
