// What the edge logged when a configuration went live, with the times of each step. Pure.

/** One configuration that went live. Times are ms since 1970. */
export interface WentLive {
  /** When the apply loop took up the rendering. */
  readonly began: number;
  /** Of the wait for RELOAD_MIN_INTERVAL and for other steps; in ms. */
  readonly waitMs: number;
  readonly checkMs: number;
  readonly reloadMs: number;
  /** When workers of the new generation had answered. */
  readonly at: number;
  /** How many instances are in it. */
  readonly instances: number;
  /** From the reload before to this one, in ms; -1 for the first. */
  readonly sinceLastReload: number;
}

/** The `live` lines of a log, in order; other lines are left out. */
export function wentLive(log: string): readonly WentLive[] {
  return log.split("\n").filter((line) => line.includes('"event":"live"')).map((line) => {
    const event = JSON.parse(line.slice(line.indexOf("{")));
    const at = Date.parse(event.time);
    const { wait_ms: waitMs = 0, check_ms: checkMs, reload_ms: reloadMs, instances } = event;
    const began = at - reloadMs - checkMs - waitMs;
    const sinceLastReload = event.since_last_reload_ms;
    return { began, waitMs, checkMs, reloadMs, at, instances, sinceLastReload };
  });
}
