import { deepEqual, throws } from "node:assert/strict";
import type { WentLive } from "../edge/edge_log.ts";
import { type Change, lagsOf, lagsOfPeaks } from "./lags.ts";

const key = (container: string, at: number, deleted = false) => ({
  key: `/services/web/host-1:${container}:8080`,
  deleted,
  at,
});
const live = (at: number, instances: number): WentLive => ({
  ...{ began: at, waitMs: 0, checkMs: 0, reloadMs: 0, sinceLastReload: 0 },
  ...{ at, instances },
});
const change = (container: string, at: number, kind: Change["kind"] = "start"): Change => ({
  ...{ container, at, kind },
});

Deno.test("lagsOf() finds the configuration that holds a start, in the order that etcd had them in", () => {
  const { toKey, toLive } = lagsOf(
    [change("a", 100), change("b", 110), change("c", 120)],
    [key("b", 115), key("a", 118), key("c", 400)],
    [live(200, 11), live(300, 12), live(500, 13)],
    10,
  );
  deepEqual(toKey, [18, 5, 280]);
  deepEqual(toLive, [200, 90, 380], "b was first in etcd, so it is in the first configuration");
});

Deno.test("lagsOf() follows stops downwards, and marks what never came", () => {
  const { toKey, toLive } = lagsOf(
    [change("a", 100, "stop"), change("b", 110, "stop"), change("c", 120, "stop")],
    [key("z", 90), key("a", 105, true), key("b", 112, true)],
    [live(200, 9)],
    10,
  );
  deepEqual(toKey, [5, 2, NaN]);
  deepEqual(toLive, [100, NaN, NaN]);
});

Deno.test("lagsOf() takes a configuration that was live before we heard of its key", () => {
  const { toKey, toLive } = lagsOf([change("a", 100)], [key("a", 150.4)], [live(140, 11)], 10);
  deepEqual([Math.round(toKey[0]!), toLive], [50, [40]]);
});

Deno.test("lagsOf() refuses starts and stops together, as the count would not tell them apart", () => {
  throws(() => lagsOf([change("a", 1), change("b", 2, "stop")], [], [], 10), /starts/);
});

Deno.test("lagsOfPeaks() waits for as many instances as there were for the first time", () => {
  const keys = [key("a", 10), key("a", 11, true), key("b", 12), key("c", 13), key("d", 14)];
  deepEqual(lagsOfPeaks(keys, [live(20, 11), live(33, 12)], 10), [10, 20, NaN]);
});
