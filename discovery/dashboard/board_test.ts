import assert from "node:assert/strict";
import type { Entry } from "../etcd/registry.ts";
import { encode } from "../registration.ts";
import { Board } from "./board.ts";

const NOW = Date.parse("2026-11-23T03:00:10.000Z");
const entry = (value: string): Entry => ({ value, lease: "7" });

/** What a registrator writes about one instance; `at` is a second of that minute. */
function instance(
  number: number,
  state: "up" | "draining",
  at = 0,
): Map<string, Entry | undefined> {
  const since = new Date(Date.parse("2026-11-23T03:00:00.000Z") + at * 1000).toISOString();
  const [container, service, id] = [`web-${number}`, "web", `vm:web-${number}:80`];
  const status = { state, reason: "", since, container, service, instance: id };
  const registration = {
    ...{ address: `10.0.0.${number}`, port: 80, protocol: "tcp" as const, weight: 1, tags: [] },
    ...{ attrs: {}, host: "vm", container, image: "web", routes: [], since },
  };
  return new Map([
    [`/rollcall/status/vm/c${number}/80`, entry(encode(status))],
    [`/services/web/${id}`, state === "up" ? entry(encode(registration)) : undefined],
  ]);
}

function boardOf(...numbers: number[]): Board {
  const board = new Board();
  for (const number of numbers) board.take(instance(number, "up"), NOW);
  board.take(new Map(), NOW);
  return board;
}

Deno.test("Board shows rows by number, not by letter, and services by name", () => {
  const board = boardOf(10, 9, 1);
  board.take(new Map([["/services/api/x", entry("not JSON")]]), NOW);
  const shown = [...board.services()].map(([service, rows]) => [
    service,
    rows.map(({ row }) => row.name),
  ]);
  assert.deepEqual(shown, [["api", ["x"]], ["web", ["web-1", "web-9", "web-10"]]]);
});

Deno.test("Board tells since which change nginx has it, once nginx has it", () => {
  const board = boardOf(1);
  board.take(instance(2, "up", 9), NOW);
  assert.equal(board.unsettled, true);
  board.live({ addresses: new Set(["10.0.0.1:80"]), at: NOW }, NOW);
  assert.equal(board.changes().changes[0]!.live, undefined);
  board.live({ addresses: new Set(["10.0.0.1:80", "10.0.0.2:80"]), at: NOW - 950 }, NOW);
  assert.equal(board.changes().changes[0]!.live, 50);
  board.take(instance(2, "draining", 10), NOW);
  board.live({ addresses: new Set(["10.0.0.1:80"]), at: NOW + 70 }, NOW);
  const [left] = board.changes().changes;
  assert.deepEqual([left!.from, left!.to, left!.live], ["up", "draining", 70]);
  assert.equal(board.unsettled, false);
});

Deno.test("Board stops waiting for nginx after half a minute", () => {
  const board = boardOf(1);
  board.take(instance(2, "up", 9), NOW);
  board.live({ addresses: new Set(), at: 0 }, NOW + 40_000);
  assert.equal(board.unsettled, false);
  assert.equal(board.changes().changes[0]!.live, undefined);
});

Deno.test("Board keeps the address of who leaves, and forgets the row that is gone", () => {
  const board = boardOf(1);
  const version = board.version;
  board.take(instance(1, "draining"), NOW);
  const [placed] = board.rows();
  assert.equal(placed!.row.address, "10.0.0.1:80");
  assert.equal(board.wanted().size, 0);
  board.take(new Map([["/rollcall/status/vm/c1/80", undefined]]), NOW);
  assert.deepEqual([...board.rows()], []);
  assert.deepEqual(board.removedSince(version)!.map(({ tag }) => tag), [placed!.tag]);
  assert.deepEqual(board.removedSince(board.version), []);
});

Deno.test("Board's first look is no news; a version of another server's is not known", () => {
  const board = new Board();
  board.take(instance(1, "up"), NOW);
  assert.deepEqual(board.changes().changes, []);
  assert.equal(board.removedSince(board.version + 1), undefined);
});

Deno.test("Board shows only one of two that claim a key as the one that has it", () => {
  const board = boardOf(1);
  const since = "2026-11-23T03:00:00.000Z";
  const loser = {
    ...{ state: "rejected" as const, reason: "web-1 has it", since, container: "web-2" },
    ...{ service: "web", instance: "vm:web-1:80" },
  };
  board.take(new Map([["/rollcall/status/vm/c2/80", entry(encode(loser))]]), NOW);
  const rows = [...board.rows()].map(({ row: { name, state, address } }) => [name, state, address]);
  assert.deepEqual(rows, [["web-1", "up", "10.0.0.1:80"], ["web-2", "rejected", ""]]);
});
