import assert from "node:assert/strict";
import { Connection, type Transport } from "./connection.ts";
import { Pool } from "./pool.ts";

/** A connection on which nothing ever comes, and whether it was closed. */
function silent() {
  const state = { closed: false };
  const transport: Transport = {
    read: () => new Promise(() => {}),
    write: (bytes) => Promise.resolve(bytes.length),
    close: () => void (state.closed = true),
  };
  return { connection: new Connection(transport), state };
}

Deno.test("Pool takes the longest unused connection, when there are as many as wanted", () => {
  const pool = new Pool(2);
  const [one, two] = [silent(), silent()];
  pool.add(one.connection);
  pool.give(one.connection, 0);
  assert.equal(pool.take(1), undefined, "one more is to be opened");
  pool.add(two.connection);
  pool.give(two.connection, 1);
  assert.equal(pool.take(2), one.connection);
});

Deno.test("Pool closes what has been idle for too long, and counts it no more", () => {
  const pool = new Pool(1, 100);
  const [old, young] = [silent(), silent()];
  pool.add(old.connection);
  pool.add(young.connection);
  pool.give(old.connection, 0);
  pool.give(young.connection, 50);
  assert.equal(pool.take(101), young.connection);
  assert.deepEqual([old.state.closed, young.state.closed], [true, false]);
  pool.give(young.connection, 102);
  assert.equal(pool.take(300), undefined);
});
