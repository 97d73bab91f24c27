// Who is waited for, from readings written out.
import assert from "node:assert/strict";
import type { Entry } from "../etcd/registry.ts";
import { serviceKey } from "../keys.ts";
import { encode } from "../registration.ts";
import { Absence, hostsOf, missingHosts } from "./absence.ts";

const PATIENCE = 15_000;
const VOUCHER = ["/rollcall/hosts/a", entry("{}")] as const;
const OTHERS = ["/rollcall/hosts/b", entry("{}")] as const;

function entry(value: string): Entry {
  return { value, lease: "1" };
}

/** An instance of a host, as its registrator writes it. */
function instance(host: string, container = "web-1"): readonly [string, Entry] {
  const value = encode({
    ...{ address: "10.0.0.5", port: 80, protocol: "tcp", weight: 1, tags: [], attrs: {} },
    ...{ host, container, image: "nginx", routes: [], balance: "round_robin" },
    since: "2026-11-23T03:00:00.000Z",
  });
  return [serviceKey("web", `${host}:${container}:80`), entry(value)];
}

function reading(...entries: ReadonlyArray<readonly [string, Entry]>): Map<string, Entry> {
  return new Map(entries);
}

Deno.test("hostsOf() tells whose each instance is by its value", () => {
  const malformed = ["/services/web/c:web-1:80", entry("garbage")] as const;
  const all = reading(VOUCHER, OTHERS, instance("b"), malformed);
  assert.deepEqual([...hostsOf(all)], [["/services/web/b:web-1:80", "b"]]);
});

Deno.test("missingHosts() names each host once of which anything is not there", () => {
  const all = reading(instance("b"), instance("b", "web-2"), instance("c"), instance("d"));
  const remembered = hostsOf(all);
  assert.deepEqual(missingHosts(remembered, reading()), ["b", "c", "d"]);
  assert.deepEqual(missingHosts(remembered, reading(instance("b"), instance("d"))), ["b", "c"]);
  assert.deepEqual(missingHosts(remembered, all), []);
});

Deno.test("Absence waits for nobody where any host vouches, as the edge believes what it sees then", () => {
  const absence = new Absence("a", PATIENCE);
  const at = { now: 0, silent: -Infinity };
  absence.waitsFor(reading(VOUCHER, OTHERS, instance("b")), at);
  assert.deepEqual(absence.waitsFor(reading(OTHERS), at), []);
});

Deno.test("Absence waits for nobody as long as our voucher stands, and for nobody it has never seen", () => {
  const absence = new Absence("a", PATIENCE);
  const at = { now: 0, silent: -Infinity };
  assert.deepEqual(absence.waitsFor(reading(instance("b")), at), []); // just started: our voucher is not there yet
  assert.deepEqual(absence.waitsFor(reading(instance("c")), at), []);
  assert.deepEqual(absence.waitsFor(reading(VOUCHER, instance("b")), at), []);
  assert.deepEqual(absence.waitsFor(reading(VOUCHER), at), []); // b has left, as its lease did
  assert.deepEqual(absence.waitsFor(reading(), at), []);
  assert.equal(absence.until, undefined);
});

Deno.test("Absence waits for those it remembers until all of theirs is there", () => {
  const absence = new Absence("a", PATIENCE);
  const at = { now: 0, silent: -Infinity };
  const two = [instance("b"), instance("b", "web-2")] as const;
  absence.waitsFor(reading(VOUCHER, ...two), at);
  assert.deepEqual(absence.waitsFor(reading(), at), ["b"]);
  assert.equal(absence.until, PATIENCE);
  assert.deepEqual(absence.waitsFor(reading(two[0]), { ...at, now: 5_000 }), ["b"]);
  assert.equal(absence.until, PATIENCE); // from the beginning, not from the last look
  assert.deepEqual(absence.waitsFor(reading(...two), { ...at, now: 6_000 }), []);
  assert.equal(absence.until, undefined);
});

Deno.test("Absence does not wait for longer than its patience", () => {
  const absence = new Absence("a", PATIENCE);
  absence.waitsFor(reading(VOUCHER, instance("b")), { now: 0, silent: -Infinity });
  const empty = reading();
  assert.deepEqual(absence.waitsFor(reading(), { now: 100, silent: -Infinity }), ["b"]);
  const old = reading();
  assert.deepEqual(absence.waitsFor(old, { now: 15_099, silent: -Infinity }), ["b"]);
  assert.deepEqual(absence.waitsFor(old, { now: 15_100, silent: -Infinity }), ["b"]); // read too early
  assert.deepEqual(absence.waitsFor(empty, { now: 15_101, silent: -Infinity }), []);
  empty.set(...VOUCHER); // the reconciler has written it
  assert.deepEqual(absence.waitsFor(empty, { now: 15_102, silent: -Infinity }), []);
});

Deno.test("Absence does not count the time in which etcd was away, as nobody could come back then", () => {
  const absence = new Absence("a", PATIENCE);
  absence.waitsFor(reading(VOUCHER, instance("b")), { now: 0, silent: -Infinity });
  absence.waitsFor(reading(), { now: 100, silent: -Infinity });
  const later = reading();
  assert.deepEqual(absence.waitsFor(later, { now: 60_000, silent: 59_000 }), ["b"]);
  assert.equal(absence.until, 59_000 + PATIENCE);
});

Deno.test("Absence goes on waiting where etcd is wiped once more before ours was written", () => {
  const absence = new Absence("a", PATIENCE);
  const at = { now: 0, silent: -Infinity };
  absence.waitsFor(reading(VOUCHER, instance("a"), instance("b"), instance("c")), at);
  absence.waitsFor(reading(instance("a"), instance("b")), at);
  assert.deepEqual(absence.waitsFor(reading(), { ...at, now: 4_000 }), ["b", "c"]);
  assert.equal(absence.until, 4_000 + PATIENCE); // all have to come back once more
});

Deno.test("Absence remembers anew whom it has seen since", () => {
  const absence = new Absence("a", PATIENCE);
  const at = { now: 0, silent: -Infinity };
  absence.waitsFor(reading(VOUCHER, instance("b")), at);
  absence.waitsFor(reading(VOUCHER, instance("c")), at);
  assert.deepEqual(absence.waitsFor(reading(), at), ["c"]);
});
