import { equal, ok } from "node:assert/strict";
import { BLOCKS, changeToLive, requestsAtRest, sustainable } from "./model.ts";

Deno.test("changeToLive() says of what it was made from what was measured", () => {
  for (const { instances, services, ms } of Object.values(BLOCKS.toLive)) {
    ok(Math.abs(changeToLive({ instances, services }) - BLOCKS.toKey - ms) < 1e-9);
  }
});

Deno.test("changeToLive() grows with instances and with services", () => {
  const less = changeToLive({ instances: 10_000, services: 100 });
  ok(changeToLive({ instances: 20_000, services: 100 }) > less);
  ok(changeToLive({ instances: 10_000, services: 200 }) > less);
});

Deno.test("requestsAtRest() adds up what one registrator asks", () => {
  equal(requestsAtRest(30, { ttl: 15, resync: 30 }).toFixed(6), "19.000000");
});

Deno.test("sustainable() fills the quota with two retentions of history", () => {
  equal(sustainable({ quota: 7_200_000, perChange: 1_000, retention: 3_600 }), 1);
});
