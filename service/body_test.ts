import assert from "node:assert/strict";
import { BodyTooLargeError, discardBody, readBody } from "./body.ts";

/** A request whose body comes in chunks and tells how many were taken; no length is announced. */
function chunked(chunks: number, size: number) {
  let taken = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (taken === chunks) return controller.close();
      taken++;
      controller.enqueue(new Uint8Array(size).fill(taken));
    },
  }, { highWaterMark: 0 });
  return { request: new Request("http://x/", { method: "POST", body }), taken: () => taken };
}

Deno.test("readBody() puts chunks together", async () => {
  const { request } = chunked(3, 2);
  assert.deepEqual([...await readBody(request, 6)], [1, 1, 2, 2, 3, 3]);
});

Deno.test("readBody() reads nothing where there is no body", async () => {
  assert.equal((await readBody(new Request("http://x/"), 0)).length, 0);
});

Deno.test("readBody() stops at the first byte too many, without an announced length", async () => {
  const { request, taken } = chunked(100, 10);
  await assert.rejects(readBody(request, 25), BodyTooLargeError);
  assert.equal(taken(), 3);
});

Deno.test("readBody() does not begin when the announced length is too much", async () => {
  const { request, taken } = chunked(100, 10);
  request.headers.set("content-length", "1000");
  await assert.rejects(readBody(request, 999), BodyTooLargeError);
  assert.equal(taken(), 0);
});

Deno.test("discardBody() comes to the end within its limit", async () => {
  const { request, taken } = chunked(5, 10);
  assert.equal(await discardBody(request, 50), true);
  assert.equal(taken(), 5);
});

Deno.test("discardBody() goes on where readBody() stopped", async () => {
  const { request, taken } = chunked(5, 10);
  await assert.rejects(readBody(request, 15), BodyTooLargeError);
  assert.equal(await discardBody(request, 50), true);
  assert.equal(taken(), 5);
});

Deno.test("discardBody() gives up beyond its limit", async () => {
  const { request, taken } = chunked(100, 10);
  assert.equal(await discardBody(request, 50), false);
  assert.ok(taken() <= 7);
});

Deno.test("discardBody() does not begin when far more is announced", async () => {
  const { request, taken } = chunked(100, 10);
  request.headers.set("content-length", "1000");
  assert.equal(await discardBody(request, 50), false);
  assert.equal(taken(), 0);
});

Deno.test("discardBody() has nothing to do without a body, or after all was read", async () => {
  assert.equal(await discardBody(new Request("http://x/"), 0), true);
  const { request } = chunked(2, 10);
  await readBody(request, 20);
  assert.equal(await discardBody(request, 0), true);
});

Deno.test("discardBody() copes with a client that goes away", async () => {
  const body = new ReadableStream({
    pull: (controller) => controller.error(new Error("connection reset")),
  });
  const request = new Request("http://x/", { method: "POST", body });
  assert.equal(await discardBody(request, 50), false);
});
