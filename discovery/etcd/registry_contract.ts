// What every Registry promises, as tests: the same ones for etcd and for its twin in memory.
import assert from "node:assert/strict";
import { delay } from "../delay.ts";
import {
  type Changes,
  LeaseLostError,
  MOST_OPERATIONS,
  NO_LEASE,
  type Registry,
} from "./registry.ts";

/** A Registry to test, empty. */
export interface Subject {
  readonly registry: Registry;
  /** Lets `ttl` seconds pass, and waits until `check` no longer throws. */
  readonly pass: (ttl: number, check: () => Promise<void>) => Promise<void>;
}

/** Registers one test for each promise; `test` runs it on an empty Registry and cleans up. */
export function registryContract(
  test: (name: string, run: (subject: Subject) => Promise<void>) => void,
): void {
  test("list() gives exactly the keys below a prefix, each with its value and its lease", async ({ registry }) => {
    const lease = await registry.grant(60);
    const other = await registry.grant(60);
    await registry.apply(changes({ "/a/1": "one", "/a/2": "zwei ä 漢 😀\n", "/ab": "no" }), lease);
    await registry.apply(changes({ "/a/3": "" }), other);
    assert.deepEqual([...await registry.list("/a/")], [
      ["/a/1", { value: "one", lease }],
      ["/a/2", { value: "zwei ä 漢 😀\n", lease }],
      ["/a/3", { value: "", lease: other }],
    ]);
    assert.deepEqual([...(await registry.list("/a")).keys()], ["/a/1", "/a/2", "/a/3", "/ab"]);
    assert.equal((await registry.list("/b/")).size, 0);
  });

  test("list() gives thousands of keys as they were at one moment", async ({ registry }) => {
    const lease = await registry.grant(60);
    const keys = Array.from({ length: 1_100 }, (_, i) => `/a/${String(i).padStart(4, "0")}`);
    await registry.apply(changes(Object.fromEntries(keys.map((key) => [key, key]))), lease);
    assert.deepEqual([...(await registry.list("/a/")).keys()], keys);
    // One key is always there, and jumps from the last place to the first and back.
    const [first, last] = ["/a/", "/a/~"];
    await registry.apply(changes({ [last]: "" }), lease);
    const listed = new AbortController();
    const jumping = (async () => {
      for (let [from, to] = [last, first]; !listed.signal.aborted; [from, to] = [to, from]) {
        await registry.apply(changes({ [to]: "" }, [from]), lease);
      }
    })();
    try {
      for (let i = 0; i < 10; i++) {
        const found = await registry.list("/a/");
        assert.equal(found.size, keys.length + 1);
        assert.notEqual(found.has(first), found.has(last));
      }
    } finally {
      listed.abort();
      await jumping;
    }
  });

  test("list() gives the same where it is told what stood before", async ({ registry }) => {
    const lease = await registry.grant(60);
    const other = await registry.grant(60);
    const key = (i: number) => `/a/${String(i).padStart(4, "0")}`;
    const all = (from: number, to: number, value: string) =>
      changes(
        Object.fromEntries(Array.from({ length: to - from }, (_, i) => [key(from + i), value])),
      );
    await registry.apply(all(0, 600, "1"), lease);
    const steps: Changes[] = [
      changes({}),
      changes({ "/b": "not below it" }),
      changes({ [key(3)]: "2", [key(9_999)]: "new", "/a/ä": "ü" }),
      changes({ [key(3)]: "3" }, [key(0), key(599), key(300), key(301)]),
      changes({}, Array.from({ length: 300 }, (_, i) => key(2 * i))),
      all(1_000, 2_100, "more than a page"),
      changes({ "/a/": "the first" }, [key(9_999)]),
    ];
    for (const step of steps) {
      const since = await registry.revision();
      const stood = await registry.list("/a/");
      await registry.apply(step, other);
      const found = await registry.list("/a/", { stood, since });
      assert.deepEqual([...found].sort(), [...await registry.list("/a/")].sort());
    }
    // Of another store, or of this one in a time that never was.
    const stood = new Map([["/a/ghost", { value: "", lease }]]);
    const since = await registry.revision();
    for (
      const known of [{ stood, since }, { stood, since: since + 99 }, { stood: new Map(), since }]
    ) {
      const found = await registry.list("/a/", known);
      assert.deepEqual([...found].sort(), [...await registry.list("/a/")].sort());
    }
  });

  test("grant() gives every lease its own id, which list() repeats exactly", async ({ registry }) => {
    const leases = await Promise.all([registry.grant(60), registry.grant(60), registry.grant(60)]);
    assert.equal(new Set(leases).size, 3);
    for (const lease of leases) {
      assert.match(lease, /^[1-9]\d*$/);
      await registry.apply(changes({ [`/a/${lease}`]: "" }), lease);
    }
    for (const [key, entry] of await registry.list("/a/")) assert.equal(key, `/a/${entry.lease}`);
  });

  test("apply() writes, overwrites, deletes, and moves a key to the lease it is written on", async ({ registry }) => {
    const first = await registry.grant(60);
    const second = await registry.grant(60);
    await registry.apply(changes({ "/a": "1", "/b": "1", "/c": "1" }), first);
    await registry.apply(changes({ "/a": "2" }, ["/b", "/never"]), second);
    assert.deepEqual([...await registry.list("/")], [
      ["/a", { value: "2", lease: second }],
      ["/c", { value: "1", lease: first }],
    ]);
    await registry.revoke(first);
    assert.deepEqual([...(await registry.list("/")).keys()], ["/a"]);
  });

  test("apply() takes more changes than one transaction has room for", async ({ registry }) => {
    const lease = await registry.grant(60);
    const keys = Array.from(
      { length: 3 * MOST_OPERATIONS + 5 },
      (_, i) => `/a/${String(i).padStart(4, "0")}`,
    );
    await registry.apply(changes(Object.fromEntries(keys.map((key) => [key, key]))), lease);
    assert.deepEqual([...(await registry.list("/a/")).keys()], keys);
    await registry.apply(changes({ "/b": "1" }, keys), lease);
    assert.deepEqual([...(await registry.list("/")).keys()], ["/b"]);
  });

  test("apply() takes more text than one request has room for", async ({ registry }) => {
    const lease = await registry.grant(60);
    const value = "漢".repeat(15_000);
    const keys = Array.from({ length: 100 }, (_, i) => `/a/${String(i).padStart(4, "0")}`);
    await registry.apply(changes(Object.fromEntries(keys.map((key) => [key, value]))), lease);
    const found = await registry.list("/a/");
    assert.equal(found.size, keys.length);
    for (const entry of found.values()) assert.ok(entry.value === value);
  });

  test("apply() of nothing does nothing", async ({ registry }) => {
    const before = await registry.revision();
    assert.equal(await registry.apply(changes({}), await registry.grant(60)), 0);
    assert.equal((await registry.list("/")).size, 0);
    assert.equal(await registry.revision(), before);
  });

  test("revision() grows by one with each transaction that changes something, and with nothing else", async ({ registry }) => {
    const start = await registry.revision();
    const lease = await registry.grant(60);
    await registry.keepAlive(lease);
    await registry.list("/");
    assert.equal(await registry.revision(), start);
    assert.equal(await registry.apply(changes({ "/a": "1", "/b": "1" }), lease), start + 1);
    const keys = Array.from({ length: MOST_OPERATIONS }, (_, i) => [`/a/${i}`, "1"]);
    assert.equal(await registry.apply(changes(Object.fromEntries(keys), ["/b"]), lease), start + 3);
    assert.equal(await registry.apply(changes({}, ["/never"]), lease), start + 3);
    assert.equal(await registry.revision(), start + 3);
    await registry.revoke(lease);
    assert.equal(await registry.revision(), start + 4);
  });

  test("apply() on NO_LEASE writes keys that stay", async ({ registry }) => {
    const lease = await registry.grant(60);
    await registry.apply(changes({ "/a": "1" }), NO_LEASE);
    await registry.revoke(lease);
    assert.deepEqual((await registry.list("/a")).get("/a"), { value: "1", lease: NO_LEASE });
  });

  test("apply() on a lease that is gone throws LeaseLostError, and nothing of that transaction happens", async ({ registry }) => {
    const lease = await registry.grant(60);
    const gone = await registry.grant(60);
    await registry.apply(changes({ "/a": "1", "/b": "1" }), lease);
    await registry.revoke(gone);
    await assert.rejects(
      registry.apply(changes({ "/a": "2", "/c": "2" }, ["/b"]), gone),
      LeaseLostError,
    );
    assert.deepEqual([...await registry.list("/")].map(([key, { value }]) => [key, value]), [[
      "/a",
      "1",
    ], ["/b", "1"]]);
  });

  test("apply() deletes first: who leaves, leaves even when the writes fail", async ({ registry }) => {
    const lease = await registry.grant(60);
    const gone = await registry.grant(60);
    const keys = Array.from({ length: MOST_OPERATIONS }, (_, i) => `/a/${i}`);
    await registry.apply(changes(Object.fromEntries(keys.map((key) => [key, "1"]))), lease);
    await registry.revoke(gone);
    await assert.rejects(registry.apply(changes({ "/b": "1" }, keys), gone), LeaseLostError);
    assert.equal((await registry.list("/")).size, 0);
  });

  test("keepAlive() gives the seconds left, and 0 for a lease that is gone or never was", async ({ registry }) => {
    const lease = await registry.grant(60);
    assert.equal(await registry.keepAlive(lease), 60);
    await registry.revoke(lease);
    assert.equal(await registry.keepAlive(lease), 0);
    assert.equal(await registry.keepAlive("123456789"), 0);
  });

  test("a lease that nobody keeps alive ends, and its keys with it", async ({ registry, pass }) => {
    const long = await registry.grant(60);
    const short = await registry.grant(2);
    await registry.apply(changes({ "/a": "1" }), short);
    await registry.apply(changes({ "/b": "1" }), long);
    await pass(2, async () => {
      assert.deepEqual([...(await registry.list("/")).keys()], ["/b"]);
    });
    assert.equal(await registry.keepAlive(short), 0);
    await assert.rejects(registry.apply(changes({ "/a": "2" }), short), LeaseLostError);
  });

  test("watch() tells when it listens, of every change below its prefix, and ends with its signal", async ({ registry }) => {
    const stop = new AbortController();
    let told = 0;
    const watching = registry.watch("/a/", () => void told++, stop.signal);
    const tells = async (least: number) => {
      for (const end = Date.now() + 5_000; told < least;) {
        assert.ok(Date.now() < end, `told ${told} times, not ${least}`);
        await delay(5);
      }
      return told;
    };
    let last = await tells(1);
    const lease = await registry.grant(60);
    await registry.apply(changes({ "/a/1": "1" }), lease);
    last = await tells(last + 1);
    await registry.apply(changes({ "/b": "1" }), lease);
    await registry.apply(changes({}, ["/a/1"]), lease);
    last = await tells(last + 1);
    await registry.apply(changes({ "/a/2": "1" }), lease);
    last = await tells(last + 1);
    assert.equal(last, 4, "told of a key that is not below the prefix");
    await registry.revoke(lease);
    await tells(last + 1);
    stop.abort();
    await watching;
  });

  test("watch() ends at once when its signal has fired before", async ({ registry }) => {
    await registry.watch("/a/", () => {}, AbortSignal.abort());
  });

  test("revoke() ends a lease and deletes its keys at once; a second time it does nothing", async ({ registry }) => {
    const lease = await registry.grant(60);
    await registry.apply(changes({ "/a": "1" }), lease);
    await registry.revoke(lease);
    assert.equal((await registry.list("/")).size, 0);
    await registry.revoke(lease);
  });
}

function changes(puts: Readonly<Record<string, string>>, deletes: readonly string[] = []) {
  return { puts: new Map(Object.entries(puts)), deletes };
}
