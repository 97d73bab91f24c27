// The names of the keys (contract 1).
import assert from "node:assert/strict";
import { hostKey, INSTANCE_ID, SERVICE_NAME, serviceKey, statusKey } from "./keys.ts";

Deno.test("keys have the form of contract 1", () => {
  assert.equal(serviceKey("web", "h:web-1:80"), "/services/web/h:web-1:80");
  assert.equal(hostKey("h"), "/rollcall/hosts/h");
  assert.equal(statusKey("h", "abc", "53:udp"), "/rollcall/status/h/abc/53:udp");
});

Deno.test("SERVICE_NAME takes what can be a key, an upstream and a host name, nothing else", () => {
  for (const name of ["web", "a", "Web-2.x_y", "9", "a".repeat(63)]) {
    assert.ok(SERVICE_NAME.test(name), name);
  }
  const wrong = [
    "",
    "-web",
    ".",
    "..",
    "a/b",
    "a b",
    "a;",
    "a\n",
    "\na",
    "ä",
    "a".repeat(64),
    "a{",
  ];
  for (const name of wrong) assert.ok(!SERVICE_NAME.test(name), JSON.stringify(name));
});

Deno.test("INSTANCE_ID takes one path segment, nothing else", () => {
  for (const id of ["h:web-1:80", "h:web-1:53:udp", "me@here", "a".repeat(255)]) {
    assert.ok(INSTANCE_ID.test(id), id);
  }
  for (const id of ["", "/", "a/b", ":a", "a b", "a\n", "a\u0000", "ä", "a".repeat(256)]) {
    assert.ok(!INSTANCE_ID.test(id), JSON.stringify(id));
  }
});
