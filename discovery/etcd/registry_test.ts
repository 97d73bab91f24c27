// inTransactions(): what fits into one transaction of etcd.
import assert from "node:assert/strict";
import fc from "fast-check";
import { inTransactions, MOST_BYTES, MOST_OPERATIONS } from "./registry.ts";

const sizes = (changes: Parameters<typeof inTransactions>[0]) =>
  inTransactions(changes).map(({ deletes, puts }) => [deletes.length, puts.size]);
const keys = (count: number) => Array.from({ length: count }, (_, i) => `/a/${i}`);
const puts = (count: number, value = "") =>
  new Map(keys(count).map((key) => [`${key}/put`, value]));

Deno.test("inTransactions() puts deletes first and fills each transaction", () => {
  assert.deepEqual(sizes({ deletes: keys(2), puts: puts(3) }), [[2, 3]]);
  assert.deepEqual(sizes({ deletes: keys(130), puts: puts(130) }), [[128, 0], [2, 126], [0, 4]]);
  assert.deepEqual(sizes({ deletes: [], puts: puts(128) }), [[0, 128]]);
  assert.deepEqual(sizes({ deletes: [], puts: new Map() }), []);
});

Deno.test("inTransactions() keeps each transaction below what etcd takes, in bytes", () => {
  const value = "漢".repeat(100_000);
  assert.deepEqual(sizes({ deletes: [], puts: puts(7, value) }), [[0, 3], [0, 3], [0, 1]]);
});

Deno.test("inTransactions() loses nothing, repeats nothing, keeps the order", () => {
  const text = fc.oneof(fc.string(), fc.nat(200_000).map((length) => "x".repeat(length)));
  fc.assert(
    fc.property(
      fc.array(fc.string(), { maxLength: 300 }),
      fc.array(fc.tuple(fc.string(), text), { maxLength: 300 }),
      (deletes, all) => {
        const puts = new Map(all);
        const transactions = inTransactions({ deletes, puts });
        assert.deepEqual(transactions.flatMap((some) => some.deletes), deletes);
        assert.deepEqual(transactions.flatMap((some) => [...some.puts]), [...puts]);
        for (const { deletes, puts } of transactions) {
          assert.ok(deletes.length + puts.size <= MOST_OPERATIONS);
          const texts = [...deletes, ...[...puts].flat()];
          const bytes = texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0);
          assert.ok(bytes <= MOST_BYTES || deletes.length + puts.size === 1);
        }
      },
    ),
    { numRuns: 50 },
  );
});
