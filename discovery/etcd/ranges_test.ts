// What has changed is found with few and small questions.
import assert from "node:assert/strict";
import fc from "fast-check";
import { allIn, changedIn, type Range, type Ranged, type RangeStore } from "./ranges.ts";
import type { Entry } from "./registry.ts";

/** Keys with the revision that wrote them. Answers as etcd does, and counts what it sends. */
class FakeStore implements RangeStore {
  readonly keys = new Map<string, { readonly value: string; readonly written: number }>();
  revision = 1;
  sent = 0;

  put(key: string, value: string): void {
    this.keys.set(key, { value, written: ++this.revision });
  }

  delete(key: string): void {
    if (this.keys.delete(key)) this.revision++;
  }

  range(request: Range): Promise<Ranged> {
    assert.ok(
      request.revision === undefined || request.revision === "0" ||
        request.revision === String(this.revision),
    );
    const inside = this.inside(request);
    const { min_mod_revision: since = 0, limit = Infinity } = request;
    const found = inside.filter((key) => this.keys.get(key)!.written >= since);
    const kvs = found.slice(0, limit).map((key) => ({
      key: Buffer.from(key),
      value: Buffer.from(request.keys_only ? "" : this.keys.get(key)!.value),
      lease: "7",
    }));
    this.sent += kvs.length;
    return Promise.resolve({
      header: { revision: String(this.revision) },
      kvs,
      more: found.length > kvs.length,
      count: String(inside.length),
    });
  }

  counts(requests: readonly Range[]): Promise<readonly number[]> {
    assert.ok(requests.length <= 128, "etcd takes no more in a transaction");
    return Promise.resolve(requests.map((request) => this.inside(request).length));
  }

  private inside({ key, range_end }: Range): readonly string[] {
    return [...this.keys.keys()].sort().filter((name) =>
      Buffer.compare(Buffer.from(name), key) >= 0 &&
      Buffer.compare(Buffer.from(name), range_end) < 0
    );
  }
}

const read = async (store: FakeStore) => ({
  since: store.revision,
  stood: await allIn(store, "/a/"),
});
const same = (a: ReadonlyMap<string, Entry> | undefined, b: ReadonlyMap<string, Entry>) =>
  assert.deepEqual([...a ?? []].sort(), [...b].sort());

function full(count: number): FakeStore {
  const store = new FakeStore();
  for (let i = 0; i < count; i++) store.put(`/a/${String(i).padStart(5, "0")}`, "1");
  return store;
}

Deno.test("changedIn() asks for what was written, and of what is gone for a hundredth", async () => {
  const store = full(3_000);
  const known = await read(store);
  store.put("/a/00007", "2");
  store.put("/a/x", "new");
  store.delete("/a/00000");
  store.delete("/a/01500");
  store.delete("/a/02999");
  store.sent = 0;
  const found = await changedIn(store, "/a/", known);
  assert.ok(store.sent < 100, `${store.sent} keys were sent`);
  same(found, await allIn(store, "/a/"));
});

Deno.test("changedIn() reads page by page where much was written", async () => {
  const store = full(3_000);
  const known = await read(store);
  for (let i = 0; i < 2_500; i++) store.put(`/a/${String(2 * i).padStart(5, "0")}`, "2");
  store.delete("/a/00001");
  same(await changedIn(store, "/a/", known), await allIn(store, "/a/"));
});

Deno.test("changedIn() tells nothing where keys are gone from everywhere, or another store answers", async () => {
  const store = full(3_000);
  const known = await read(store);
  for (let i = 0; i < 3_000; i += 20) store.delete(`/a/${String(i).padStart(5, "0")}`);
  assert.equal(await changedIn(store, "/a/", known), undefined);
  assert.equal(await changedIn(full(2_000), "/a/", known), undefined, "its revision is lower");
  assert.equal(await changedIn(full(4_000), "/a/", { ...known, since: 3_900 }), undefined);
});

Deno.test("changedIn() finds what stands, whatever was done", async () => {
  const op = fc.record({
    put: fc.boolean(),
    key: fc.integer({ min: 0, max: 400 }),
    value: fc.string(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 300 }),
      fc.array(op, { maxLength: 80 }),
      async (count, ops) => {
        const store = full(count);
        const known = await read(store);
        for (const { put, key, value } of ops) {
          const name = `/a/${String(key).padStart(5, "0")}`;
          if (put) store.put(name, value);
          else store.delete(name);
        }
        const found = await changedIn(store, "/a/", known);
        if (found) same(found, await allIn(store, "/a/"));
        else assert.ok(ops.filter(({ put }) => !put).length > 30, "only where much is gone");
      },
    ),
    { numRuns: 300 },
  );
});
