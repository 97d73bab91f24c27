import assert from "node:assert/strict";
import type { Look } from "./look.ts";
import { type Excuses, PATIENCE, Promises } from "./promises.ts";
import { NETWORK, sampleInstance, sampleLook } from "./sample_look.ts";

const NOTHING: Excuses = {
  ...{ blind: false, drops: false, struck: new Set<string>() },
  foreign: () => false,
};
const edge = (...servers: string[]) => ({
  ...{ generation: "g", written: "g" },
  servers: new Set(servers.map((one) => `10.0.0.${one}:8080`)),
});

/** Judges the same look over and over, a second apart, for twice as long as it may last. */
function overTime(look: Partial<Look>, excuses = NOTHING, first?: Partial<Look>) {
  const promises = new Promises(NETWORK);
  const said = first ? promises.judge(sampleLook(0, first), excuses).map(({ what }) => what) : [];
  for (let at = 1_000; at <= 2 * PATIENCE; at += 1_000) {
    for (const { what } of promises.judge(sampleLook(at, look), excuses)) said.push(what);
  }
  return said;
}

Deno.test("Promises says nothing when all agree", () => {
  assert.deepEqual(overTime({}), []);
});

Deno.test("Promises tells once whom nginx has and who does not run", () => {
  const said = overTime({ edge: edge("1", "2", "3", "9") });
  assert.equal(said.length, 1);
  assert.match(said[0]!, /10\.0\.0\.9:8080/);
});

Deno.test("Promises counts who was told to stop as one that does not run", () => {
  assert.equal(overTime({ leaving: new Set(["id3"]) }).length, 1);
});

Deno.test("Promises tells who is ready and not in nginx, but not who is unhealthy or does not pass", () => {
  assert.equal(overTime({ edge: edge("1", "2") }).length, 1);
  assert.deepEqual(overTime({ edge: edge("1", "2"), passing: new Set(["id1", "id2"]) }), []);
  const sick = [sampleInstance(1), sampleInstance(2), sampleInstance(3, { health: "unhealthy" })];
  assert.deepEqual(overTime({ edge: edge("1", "2"), instances: sick }), []);
});

Deno.test("Promises waits as long as discovery is blind, and excuses who was struck", () => {
  const wrong = { edge: edge("1", "2", "9") };
  assert.deepEqual(overTime(wrong, { ...NOTHING, blind: true }), []);
  const struck = new Set(["test-service-3"]);
  assert.deepEqual(overTime({ edge: edge("1", "2") }, { ...NOTHING, struck }), []);
});

Deno.test("Promises tells who was dropped while ready, blind or not, at the second look", () => {
  const blind = { ...NOTHING, blind: true };
  const said = overTime({ edge: edge("1", "2") }, blind, {});
  assert.equal(said.length, 1);
  assert.match(said[0]!, /dropped test-service-3/);
  assert.deepEqual(overTime({ edge: edge("1", "2") }, { ...blind, drops: true }, {}), []);
});

Deno.test("Promises does not take a restart for a drop", () => {
  const promises = new Promises(NETWORK);
  promises.judge(sampleLook(0), NOTHING);
  promises.started("id3", 1_500);
  for (let at = 2_000; at < PATIENCE; at += 1_000) {
    assert.deepEqual(promises.judge(sampleLook(at, { edge: edge("1", "2") }), NOTHING), []);
  }
});

Deno.test("Promises leaves out what chaos itself has written", () => {
  const excuses = { ...NOTHING, foreign: (server: string) => server.startsWith("10.0.0.9:") };
  assert.deepEqual(overTime({ edge: edge("1", "2", "3", "9") }, excuses), []);
});

Deno.test("Promises on a busy machine tells of a drop only when it lasts", () => {
  const said = (seconds: number) => {
    const promises = new Promises(NETWORK, 2);
    promises.judge(sampleLook(0), NOTHING);
    const looks = Array.from({ length: seconds }, (_, i) => 1_000 * (i + 1));
    return looks.flatMap((at) => promises.judge(sampleLook(at, { edge: edge("1", "2") }), NOTHING));
  };
  assert.deepEqual(said(3), []);
  assert.equal(said(4).length, 1);
});
