// edge/sweep, step by step: asks etcd afresh, compares, and restarts a confd that has missed something. A model of the shell script.
import type { Edge } from "./edge.ts";
import { type Script, sleep } from "./helper.ts";

const SWEEP_INTERVAL = 5_000;

export function* sweep(edge: Edge): Script {
  const { clock, random } = edge;
  let reachable: boolean | undefined;
  let pause = 1_000;
  while (true) {
    yield sleep(pause);
    const began = clock.now();
    const restartConfd = () => {
      // It is being restarted already, or has only just been.
      if (edge.confd.process && edge.confd.startedAt <= began) edge.confd.kill();
    };
    const swept = yield* edge.read(edge.sweep, 3_000);
    if (swept === undefined) {
      reachable = false;
      pause = 2_000;
      continue;
    }
    yield sleep(random.between(20, 60));
    if (reachable === false) restartConfd();
    else if (!edge.same(edge.rendered, swept)) {
      yield sleep(1_000); // the watching confd may just be about to see the same
      const renderedSince = (edge.rendered?.at ?? -Infinity) > began;
      if (!edge.same(edge.rendered, swept) && !renderedSince) restartConfd();
    }
    reachable = true;
    pause = SWEEP_INTERVAL;
  }
}
