// The watching confd: renders when a key changes, and is deaf after etcd was recreated empty. Models abtreece/confd 0.41.
import type { Edge } from "./edge.ts";
import { poke, type Script, sleep } from "./helper.ts";

export function* confd(edge: Edge): Script {
  const { clock, etcd, random } = edge;
  edge.redialsAt = -Infinity;
  edge.watching = undefined;
  while (true) {
    const rendering = yield* edge.read(edge.confd, 5_000);
    if (rendering === undefined) {
      yield sleep(1_000); // --watch-error-backoff
      continue;
    }
    yield sleep(random.between(2, 15));
    if (!edge.same(rendering, edge.rendered)) {
      edge.rendered = { ...rendering, at: clock.now() };
      edge.wrote();
    }
    edge.watching = rendering.revision;
    // It waits for a later revision than it has read: after a wipe that one is far away.
    while (
      edge.losesWatch || etcd.edgeRevision <= rendering.revision || clock.now() < edge.redialsAt
    ) {
      yield poke(Math.max(0, edge.redialsAt - clock.now()) || Infinity);
    }
    edge.watching = undefined;
  }
}
