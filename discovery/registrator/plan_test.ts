// plan(): the fewest changes, and other owners' keys untouched.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Entry } from "../etcd/registry.ts";
import { isEmpty, type Owner, plan, type Situation } from "./plan.ts";

/** In these tests a value says whose it is. */
const ownerOf = (_key: string, value: string): Owner =>
  value.startsWith("ours") ? "us" : value.startsWith("theirs") ? "another" : "nobody";

function planned(
  current: Record<string, [value: string, lease?: string]>,
  desired: Record<string, string>,
) {
  const entries = Object.entries(current).map(([key, [value, lease = "L"]]) =>
    [key, { value, lease }] as const
  );
  const situation = {
    current: new Map(entries),
    desired: new Map(Object.entries(desired)),
    lease: "L",
    ownerOf,
  };
  const { puts, deletes, taken } = plan(situation);
  return { puts: Object.fromEntries(puts), deletes, taken };
}

Deno.test("plan() writes what is missing and deletes what is not wanted", () => {
  assert.deepEqual(planned({ a: ["ours"] }, { b: "ours b" }), {
    puts: { b: "ours b" },
    deletes: ["a"],
    taken: [],
  });
});

Deno.test("plan() writes nothing that stands there already", () => {
  assert.deepEqual(planned({ a: ["ours"] }, { a: "ours" }), { puts: {}, deletes: [], taken: [] });
});

Deno.test("plan() writes a key again when its value or its lease differs", () => {
  assert.deepEqual(
    planned({ a: ["ours", "old"], b: ["ours 1"] }, { a: "ours", b: "ours 2" }).puts,
    {
      a: "ours",
      b: "ours 2",
    },
  );
});

Deno.test("plan() keeps other owners' keys", () => {
  assert.deepEqual(planned({ a: ["theirs"], b: ["theirs"] }, { a: "ours" }), {
    puts: {},
    deletes: [],
    taken: ["a"],
  });
});

Deno.test("plan() keeps another owner's key even when its value is the very one we want, on another lease", () => {
  assert.deepEqual(planned({ a: ["theirs", "X"] }, { a: "theirs" }).taken, ["a"]);
});

Deno.test("plan() overwrites what is nobody's where it wants the key, and deletes it nowhere", () => {
  assert.deepEqual(planned({ a: ["garbage", "0"], b: ["garbage", "0"] }, { a: "ours" }), {
    puts: { a: "ours" },
    deletes: [],
    taken: [],
  });
});

Deno.test("isEmpty() is true when there is nothing to write and nothing to delete", () => {
  assert.ok(isEmpty({ puts: new Map(), deletes: [] }));
  assert.ok(!isEmpty({ puts: new Map([["a", "b"]]), deletes: [] }));
  assert.ok(!isEmpty({ puts: new Map(), deletes: ["a"] }));
});

const key: fc.Arbitrary<string> = fc.constantFrom(
  "a",
  "b",
  "c",
  "d",
  "e",
  "f",
  "__proto__",
  "constructor",
);
const value = fc.tuple(fc.constantFrom("ours", "theirs", "garbage"), fc.nat(2)).map(([who, n]) =>
  `${who} ${n}`
);
const lease = fc.constantFrom("L", "old", "0");
const entry = fc.tuple(value, lease).map(([value, lease]) => ({ value, lease }));
const situation = fc.record({
  current: fc.array(fc.tuple(key, entry)).map((all) => new Map(all)),
  desired: fc.array(fc.tuple(key, fc.nat(2).map((n) => `ours ${n}`))).map((all) => new Map(all)),
});

/** What etcd holds once it has taken the plan. */
function applied({ current, lease }: Situation, { puts, deletes }: ReturnType<typeof plan>) {
  const after = new Map<string, Entry>(current);
  for (const key of deletes) after.delete(key);
  for (const [key, value] of puts) after.set(key, { value, lease });
  return after;
}

Deno.test("plan(), whatever stands there: our keys equal the desired ones, others' are untouched, the next plan is empty", () => {
  fc.assert(
    fc.property(situation, ({ current, desired }) => {
      const before: Situation = { current, desired, lease: "L", ownerOf };
      const changes = plan(before);
      const after = applied(before, changes);
      const taken = new Set(changes.taken);
      for (const [key, value] of desired) {
        if (taken.has(key)) assert.deepEqual(after.get(key), current.get(key));
        else assert.deepEqual(after.get(key), { value, lease: "L" });
      }
      for (const [key, { value }] of current) {
        const owner = ownerOf(key, value);
        if (owner === "another") assert.deepEqual(after.get(key), current.get(key));
        if (!desired.has(key)) assert.equal(after.has(key), owner !== "us");
      }
      for (const key of after.keys()) assert.ok(current.has(key) || desired.has(key));
      for (const [key, value] of changes.puts) {
        assert.notDeepEqual(current.get(key), { value, lease: "L" }, "written twice");
      }
      for (const key of changes.deletes) assert.ok(current.has(key), "deleted twice");
      assert.ok(isEmpty(plan({ ...before, current: after })));
    }),
    { numRuns: 500 },
  );
});
