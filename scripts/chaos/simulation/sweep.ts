// edge/sweep, step by step: asks etcd afresh, compares, and restarts a confd that has missed something. A model of the shell script.
import type { Edge } from "./edge.ts";
import { type Script, sleep } from "./helper.ts";

const SWEEP_INTERVAL = 5_000;
/** Everything is rendered that often, even if nothing was written. */
const AT_LEAST = 60_000;

export function* sweep(edge: Edge): Script {
  const { clock, random } = edge;
  edge.doubted = false;
  let pause = 1_000;
  /** What etcd said when all was well, and when. */
  let seen:
    | { readonly revision: number; readonly vouchers: string; readonly at: number }
    | undefined;
  while (true) {
    yield sleep(pause);
    const began = clock.now();
    const restartConfd = () => {
      // It is being restarted already, or has only just been.
      if (edge.confd.process && edge.confd.startedAt <= began) edge.confd.kill();
    };
    const swept = yield* edge.read(edge.sweep, 3_000);
    if (swept === undefined) {
      edge.doubted = true;
      pause = 2_000;
      seen = undefined;
      continue;
    }
    const { revision, vouchers } = swept;
    const unchanged = seen?.revision === revision && seen.vouchers === vouchers;
    if (unchanged && began - seen!.at < AT_LEAST) continue;
    seen = undefined;
    yield sleep(random.between(20, 60));
    if (edge.doubted) restartConfd();
    else if (edge.same(edge.rendered, swept)) seen = { revision, vouchers, at: began };
    else {
      edge.doubted = true;
      yield sleep(1_000); // the watching confd may just be about to see the same
      const renderedSince = (edge.rendered?.at ?? -Infinity) > began;
      if (!edge.same(edge.rendered, swept) && !renderedSince) restartConfd();
    }
    edge.doubted = false;
    pause = SWEEP_INTERVAL;
  }
}
