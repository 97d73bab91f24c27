import assert from "node:assert/strict";
import fc from "fast-check";
import { readAnswer } from "./answer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const ok = "HTTP/1.1 200 OK\r\n";

function body(text: string, ended = false): string {
  const answer = readAnswer(bytes(text), ended);
  assert.ok(typeof answer === "object", `${answer}: ${text}`);
  return new TextDecoder().decode(answer.body);
}

Deno.test("readAnswer() reads a body by its length, and no further", () => {
  const answer = readAnswer(bytes(`${ok}Content-Length: 2\r\nX-Instance: a\r\n\r\nhinext`));
  assert.ok(typeof answer === "object");
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("x-instance"), "a");
  assert.equal(answer.length, bytes(`${ok}Content-Length: 2\r\nX-Instance: a\r\n\r\nhi`).length);
  assert.ok(answer.reusable);
});

Deno.test("readAnswer() reads chunks", () => {
  assert.equal(
    body(`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n`),
    "hi0123456789",
  );
});

Deno.test("readAnswer() takes a body without a length as whole only when the connection has ended", () => {
  assert.equal(readAnswer(bytes(`${ok}\r\nhi`)), "incomplete");
  assert.equal(body(`${ok}\r\nhi`, true), "hi");
});

Deno.test("readAnswer() skips interim answers", () => {
  assert.equal(body(`HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 1\r\n\r\nx`), "x");
});

Deno.test("readAnswer() knows when a connection can be used again", () => {
  const reusable = (text: string) => {
    const answer = readAnswer(bytes(text), true);
    return typeof answer === "object" && answer.reusable;
  };
  assert.ok(reusable(`${ok}Content-Length: 0\r\n\r\n`));
  assert.ok(!reusable(`${ok}Connection: close\r\nContent-Length: 0\r\n\r\n`));
  assert.ok(!reusable("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  assert.ok(reusable("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"));
  assert.ok(!reusable(`${ok}\r\nuntil the end`));
  assert.ok(reusable("HTTP/1.1 204 No Content\r\n\r\n"));
});

Deno.test("readAnswer() refuses what is no answer", () => {
  for (
    const text of [
      "SSH-2.0-OpenSSH\r\n",
      "HTTP/2 200\r\n\r\n",
      "HTTP/1.1 99 Low\r\n\r\n",
      `${ok}no colon\r\n\r\n`,
      `${ok}Content-Length: 2, 2\r\n\r\nhi`,
      `${ok}Content-Length: -1\r\n\r\n`,
      `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${ok}Transfer-Encoding: gzip\r\n\r\n`,
      `${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nabc`,
    ]
  ) assert.equal(readAnswer(bytes(text)), "malformed", text);
});

Deno.test("readAnswer() wants more of every true prefix of an answer", () => {
  const answers = [
    `${ok}Content-Length: 11\r\n\r\nhello world`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...answers),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (text, share) => {
        const prefix = text.slice(0, Math.floor(share * text.length));
        if (prefix !== text) assert.equal(readAnswer(bytes(prefix)), "incomplete");
      },
    ),
  );
});

Deno.test("readAnswer() never throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
    const read = readAnswer(Uint8Array.from([...bytes(ok), ...noise]), true);
    assert.ok(typeof read === "object" || ["incomplete", "malformed"].includes(read));
  }));
});
