// Two instances that claim one key.
import assert from "node:assert/strict";
import fc from "fast-check";
import { sampleContainer } from "../docker/sample_container.ts";
import { decodeRegistration, decodeStatus } from "../registration.ts";
import { Entries } from "./entries.ts";
import { type Line, Tracked } from "./tracked.ts";

const RULES = { host: "h", networks: ["edge"], explicit: false, tags: [] };
const NOW = Date.parse("2026-11-23T03:00:00.000Z");
const KEY = "/services/nginx/same";

function lines(id: string, startedAt: string, up = true) {
  const container = sampleContainer({ id, startedAt, labels: { SERVICE_ID: "same" } });
  const tracked = new Tracked(container, NOW, RULES);
  for (const target of tracked.targets()) {
    tracked.found(target, { ok: up, detail: "said", took: 1 }, NOW);
  }
  tracked.settle(undefined, NOW);
  return tracked.lines();
}

/** The keys of containers, set one after the other. */
function entriesOf(...all: ReadonlyArray<readonly Line[]>): ReadonlyMap<string, string> {
  const entries = new Entries();
  for (const lines of all) entries.set(lines[0]!.container.id, lines);
  return entries.all;
}

const statuses = (entries: ReadonlyMap<string, string>) =>
  ["a", "b"].map((id) => decodeStatus(entries.get(`/rollcall/status/h/${id}/80`)!));

Deno.test("Entries gives a key that two claim to who started first, and tells the other why", () => {
  const first = lines("b", "2026-11-23T01:00:00.1Z");
  const second = lines("a", "2026-11-23T01:00:00.12Z");
  for (const order of [[first, second], [second, first]]) {
    const entries = entriesOf(...order);
    assert.equal(decodeRegistration(KEY, entries.get(KEY)!)?.container, "web-b");
    const [a, b] = statuses(entries);
    assert.equal(b?.state, "up");
    assert.deepEqual([a?.state, a?.reason], [
      "rejected",
      "The container web-b has the same SERVICE_ID 'same'. Give each its own.",
    ]);
  }
});

Deno.test("Entries gives the key to the second while the first is not in rotation", () => {
  const first = lines("b", "2026-11-23T01:00:00Z", false);
  const entries = entriesOf(first, lines("a", "2026-11-23T02:00:00Z"));
  assert.equal(decodeRegistration(KEY, entries.get(KEY)!)?.container, "web-a");
  assert.deepEqual(statuses(entries).map((status) => status?.state), ["up", "starting"]);
});

Deno.test("Entries decides between two that started in the same moment, whatever their order", () => {
  const [a, b] = [lines("a", "2026-11-23T01:00:00Z"), lines("b", "2026-11-23T01:00:00Z")];
  assert.deepEqual(entriesOf(a, b), entriesOf(b, a));
});

Deno.test("Entries decides within one container: 53/tcp and 53/udp under one SERVICE_ID", () => {
  const container = sampleContainer({
    labels: { SERVICE_ID: "same", SERVICE_53_NAME: "dns" },
    exposed: [{ number: 53, protocol: "tcp" }, { number: 53, protocol: "udp" }],
  });
  const tracked = new Tracked(container, NOW, RULES);
  for (const target of tracked.targets()) {
    tracked.found(target, { ok: true, detail: "", took: 1 }, NOW);
  }
  tracked.settle(undefined, NOW);
  const entries = entriesOf(tracked.lines());
  const states = ["53", "53:udp"].map((port) =>
    decodeStatus(entries.get(`/rollcall/status/h/c1/${port}`)!)?.state
  );
  assert.deepEqual(states, ["up", "rejected"]);
  assert.equal([...entries.keys()].filter((key) => key.startsWith("/services/")).length, 1);
});

Deno.test("Entries leaves who lost a route in rotation, and tells it in a note", () => {
  const clash = (id: string, name: string, more = {}) => {
    const labels = { SERVICE_NAME: name, SERVICE_HOST: "a.org", ...more };
    const tracked = new Tracked(sampleContainer({ id, labels }), NOW, RULES);
    for (const target of tracked.targets()) {
      tracked.found(target, { ok: true, detail: "said", took: 1 }, NOW);
    }
    tracked.settle(undefined, NOW);
    return tracked.lines();
  };
  const entries = new Entries();
  entries.set("a", clash("a", "web"));
  entries.set("b", clash("b", "api"));
  const [web, api] = statuses(entries.all);
  assert.deepEqual([web?.state, api?.state, api?.note], ["up", "up", undefined]);
  assert.match(web!.note!, /^Not served on a.org\/: the service api claims it too/);
  assert.equal([...entries.all.keys()].filter((key) => key.startsWith("/services/")).length, 2);

  entries.elsewhere(new Map([["a.org /", "aaa"]]));
  const [, theirs] = statuses(entries.all);
  assert.match(theirs!.note!, /the service aaa claims it too/, "another host's service");
  entries.elsewhere(new Map());
  entries.set("b", []);
  assert.equal(decodeStatus(entries.all.get("/rollcall/status/h/a/80")!)?.note, undefined);
  const apart = entriesOf(clash("a", "web", { SERVICE_PATH: "/x" }), clash("b", "api"));
  assert.deepEqual(statuses(apart).map((status) => status?.note), [undefined, undefined]);
});

Deno.test("Entries goes on claiming a key that another host holds, and says so as long as it is so", () => {
  const entries = new Entries();
  entries.set("a", lines("a", "2026-11-23T01:00:00Z"));
  entries.hold(new Set([KEY]));
  assert.ok(entries.all.has(KEY));
  const [a] = statuses(entries.all);
  assert.equal(a?.state, "rejected");
  assert.match(a!.reason, /^An instance on another host has the same SERVICE_ID 'same'/);
  entries.hold(new Set());
  assert.equal(statuses(entries.all)[0]?.state, "up");
});

Deno.test("Entries.takeChanged() tells each key that may have changed, once", () => {
  const entries = new Entries();
  const a = lines("a", "2026-11-23T01:00:00Z");
  entries.set("a", a);
  assert.deepEqual(entries.takeChanged(), new Set([KEY, "/rollcall/status/h/a/80"]));
  entries.set("a", a);
  assert.deepEqual(entries.takeChanged(), new Set());
  entries.set("b", lines("b", "2026-11-23T00:00:00Z"));
  assert.deepEqual(
    entries.takeChanged(),
    new Set([KEY, "/rollcall/status/h/a/80", "/rollcall/status/h/b/80"]),
  );
  entries.set("b", []);
  assert.equal(entries.takeChanged()?.size, 3);
});

Deno.test("Entries remembers no more changed keys than there are, however long nobody asks", () => {
  const entries = new Entries();
  for (let i = 0; i < 5_000; i++) {
    entries.set(`c${i}`, lines(`c${i}`, "2026-11-23T01:00:00Z"));
    entries.set(`c${i}`, []);
  }
  assert.equal(entries.takeChanged(), undefined);
  assert.deepEqual(entries.takeChanged(), new Set());
});

type Act = readonly [id: number, startedAt: number, state: "up" | "down" | "gone"];
const act: fc.Arbitrary<Act> = fc.tuple(
  fc.nat(5),
  fc.nat(3),
  fc.constantFrom("up", "down", "gone"),
);

Deno.test("Entries, whoever claims one key and in whatever order they come and go: as if set anew, and every change is told", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), fc.boolean(), (acts, held) => {
      const entries = new Entries();
      if (held) entries.hold(new Set([KEY]));
      const now = new Map<string, readonly Line[]>();
      for (const [n, startedAt, state] of acts) {
        const id = `c${n}`;
        const before = new Map(entries.all);
        const next = state === "gone"
          ? []
          : lines(id, `2026-11-23T01:00:0${startedAt}Z`, state === "up");
        entries.set(id, next);
        now.set(id, next);
        const changed = entries.takeChanged();
        for (const key of new Set([...before.keys(), ...entries.all.keys()])) {
          if (before.get(key) !== entries.all.get(key)) assert.ok(changed!.has(key), key);
        }
      }
      const anew = new Entries();
      for (const [id, lines] of now) anew.set(id, lines);
      if (held) anew.hold(new Set([KEY]));
      assert.deepEqual(new Map([...entries.all].sort()), new Map([...anew.all].sort()));
      const holders = [...now.values()].flat().filter(({ registered }) => registered);
      assert.equal(entries.all.has(KEY), holders.length > 0);
    }),
    { numRuns: 300 },
  );
});
