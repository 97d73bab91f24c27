// edge/apply, step by step: check, swap, reload, verify, save, until what was rendered is live. A model of the shell script.
import { type Edge, RELOAD_MIN_INTERVAL, type Rendering } from "./edge.ts";
import { type Pause, poke, type Script, sleep } from "./helper.ts";

/** It looks each second besides, in case a poke got lost: see `Edge.wrote`. */
const IDLE = poke(Infinity);
const VERIFY_TIMEOUT = 5_000;
const RETRY = { first: 250, last: 30_000 } as const;

export function* apply(edge: Edge): Script {
  const { clock, random } = edge;
  yield sleep(random.between(3, 20)); // asks nginx what it serves
  let live = edge.stuck ? undefined : edge.serving?.generation;
  if (edge.conf.generation !== live) live = undefined; // its predecessor may have ordered that one
  let retry = 0;
  let failing: string | undefined;
  let lastAttempt = -Infinity;
  let checkTook = 0;
  edge.candidate = undefined;

  const failed = (generation: string) => {
    if (generation !== failing) retry = 0;
    failing = generation;
    retry = retry === 0 ? RETRY.first : Math.min(RETRY.last, retry * 2);
  };

  function* awaitTurn(earlier: number): Generator<Pause, void, boolean> {
    const rest = lastAttempt + RELOAD_MIN_INTERVAL - earlier - clock.now();
    if (rest > 0) yield sleep(rest);
  }

  function* once(): Generator<Pause, void, boolean> {
    if (edge.mistakes.losesLast && clock.now() - lastAttempt < RELOAD_MIN_INTERVAL) {
      edge.candidate = edge.rendered;
      return;
    }
    yield* awaitTurn(checkTook);
    let taken: Rendering | undefined;
    for (let round = 0; round < 3; round++) {
      taken = edge.candidate = edge.rendered;
      if (taken === undefined) return;
      if (!taken.vouched && !edge.mistakes.believesAbsence) {
        retry = 0;
        return;
      }
      if (taken.generation === live) {
        retry = 0;
        save(edge, taken);
        return;
      }
      const began = clock.now();
      yield sleep(random.between(10, 40)); // nginx -t
      if (edge.checkFails) {
        lastAttempt = clock.now();
        return failed(taken.generation);
      }
      checkTook = clock.now() - began;
      yield* awaitTurn(0);
      if (taken === edge.rendered) break;
    }
    const { generation } = taken!;
    edge.conf = taken!;
    lastAttempt = clock.now();
    edge.lastReload = clock.now();
    edge.reload();
    while (edge.serving?.generation !== generation) {
      if (clock.now() - lastAttempt >= VERIFY_TIMEOUT) {
        live = undefined;
        return failed(generation);
      }
      // Between two looks 10 ms apart nothing happens before the workers are new.
      const left = Math.ceil((edge.takesAt - clock.now()) / 10) * 10;
      yield sleep(edge.stuck ? 250 : Math.max(10, left));
    }
    live = generation;
    retry = 0;
    save(edge, taken!);
  }

  while (true) {
    if (edge.rendered !== undefined && edge.candidate !== edge.rendered) yield* once();
    else if (retry > 0) {
      yield poke(retry);
      yield* once();
    } else yield IDLE;
  }
}

/** In the background: the script may be killed meanwhile. */
function save(edge: Edge, verified: Rendering): void {
  edge.clock.in(edge.random.between(5, 30), () => edge.saved = verified);
}
