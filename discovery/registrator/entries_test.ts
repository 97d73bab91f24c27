// Two instances that claim one key.
import assert from "node:assert/strict";
import { sampleContainer } from "../docker/sample_container.ts";
import { decodeRegistration, decodeStatus } from "../registration.ts";
import { entriesOf } from "./entries.ts";
import { Tracked } from "./tracked.ts";

const RULES = { host: "h", networks: ["edge"], explicit: false, tags: [] };
const NOW = Date.parse("2026-11-23T03:00:00.000Z");
const KEY = "/services/nginx/same";

function lines(id: string, startedAt: string, up = true) {
  const container = sampleContainer({ id, startedAt, labels: { SERVICE_ID: "same" } });
  const tracked = new Tracked(container, NOW, RULES);
  for (const target of tracked.targets()) tracked.found(target, { ok: up, detail: "said" });
  tracked.settle(undefined, NOW);
  return tracked.lines();
}

const statuses = (entries: ReadonlyMap<string, string>) =>
  ["a", "b"].map((id) => decodeStatus(entries.get(`/rollcall/status/h/${id}/80`)!));

Deno.test("entriesOf() gives a key that two claim to who started first, and tells the other why", () => {
  const first = lines("b", "2026-11-23T01:00:00.1Z");
  const second = lines("a", "2026-11-23T01:00:00.12Z");
  for (const order of [[...first, ...second], [...second, ...first]]) {
    const entries = entriesOf(order, new Set());
    assert.equal(decodeRegistration(KEY, entries.get(KEY)!)?.container, "web-b");
    const [a, b] = statuses(entries);
    assert.equal(b?.state, "up");
    assert.deepEqual([a?.state, a?.reason], [
      "rejected",
      "The container web-b has the same SERVICE_ID 'same'. Give each its own.",
    ]);
  }
});

Deno.test("entriesOf() gives the key to the second while the first is not in rotation", () => {
  const first = lines("b", "2026-11-23T01:00:00Z", false);
  const entries = entriesOf([...first, ...lines("a", "2026-11-23T02:00:00Z")], new Set());
  assert.equal(decodeRegistration(KEY, entries.get(KEY)!)?.container, "web-a");
  assert.deepEqual(statuses(entries).map((status) => status?.state), ["up", "starting"]);
});

Deno.test("entriesOf() decides between two that started in the same moment, whatever their order", () => {
  const [a, b] = [lines("a", "2026-11-23T01:00:00Z"), lines("b", "2026-11-23T01:00:00Z")];
  assert.deepEqual(entriesOf([...a, ...b], new Set()), entriesOf([...b, ...a], new Set()));
});

Deno.test("entriesOf() decides within one container: 53/tcp and 53/udp under one SERVICE_ID", () => {
  const container = sampleContainer({
    labels: { SERVICE_ID: "same", SERVICE_53_NAME: "dns" },
    exposed: [{ number: 53, protocol: "tcp" }, { number: 53, protocol: "udp" }],
  });
  const tracked = new Tracked(container, NOW, RULES);
  for (const target of tracked.targets()) tracked.found(target, { ok: true, detail: "" });
  tracked.settle(undefined, NOW);
  const entries = entriesOf(tracked.lines(), new Set());
  const states = ["53", "53:udp"].map((port) =>
    decodeStatus(entries.get(`/rollcall/status/h/c1/${port}`)!)?.state
  );
  assert.deepEqual(states, ["up", "rejected"]);
  assert.equal([...entries.keys()].filter((key) => key.startsWith("/services/")).length, 1);
});

Deno.test("entriesOf() leaves who lost a route in rotation, and tells it in a note", () => {
  const clash = (id: string, name: string, more = {}) => {
    const labels = { SERVICE_NAME: name, SERVICE_HOST: "a.org", ...more };
    const tracked = new Tracked(sampleContainer({ id, labels }), NOW, RULES);
    for (const target of tracked.targets()) tracked.found(target, { ok: true, detail: "said" });
    tracked.settle(undefined, NOW);
    return tracked.lines();
  };
  const lines = [...clash("a", "web"), ...clash("b", "api")];
  const entries = entriesOf(lines, new Set());
  const [web, api] = statuses(entries);
  assert.deepEqual([web?.state, api?.state, api?.note], ["up", "up", undefined]);
  assert.match(web!.note!, /^Not served on a.org\/: the service api claims it too/);
  assert.equal([...entries.keys()].filter((key) => key.startsWith("/services/")).length, 2);

  const [, theirs] = statuses(entriesOf(lines, new Set(), new Map([["a.org /", "aaa"]])));
  assert.match(theirs!.note!, /the service aaa claims it too/, "another host's service");
  const apart = entriesOf(
    [...clash("a", "web", { SERVICE_PATH: "/x" }), ...clash("b", "api")],
    new Set(),
  );
  assert.deepEqual(statuses(apart).map((status) => status?.note), [undefined, undefined]);
});

Deno.test("entriesOf() goes on claiming a key that another host holds, and says so", () => {
  const entries = entriesOf(lines("a", "2026-11-23T01:00:00Z"), new Set([KEY]));
  assert.ok(entries.has(KEY));
  const [a] = statuses(entries);
  assert.equal(a?.state, "rejected");
  assert.match(a!.reason, /^An instance on another host has the same SERVICE_ID 'same'/);
});
