// SERVICE_BALANCE.
import assert from "node:assert/strict";
import { balanceOf } from "./balance_of.ts";

const balance = (text: string) => balanceOf(new Map([["balance", text]]));

Deno.test("balanceOf() knows four methods, and takes round robin when none is named", () => {
  assert.equal(balanceOf(new Map()), "round_robin");
  assert.equal(balance(" "), "round_robin");
  for (const method of ["round_robin", "least_conn", "hash:client", "hash:header:x-user"]) {
    assert.equal(balance(method), method);
  }
  assert.equal(balance(" hash:header:X-User\n"), "hash:header:x-user");
});

Deno.test("balanceOf() rejects every other", () => {
  const wrong = ["random", "hash", "hash:", "hash:header:", "hash:header:a b", "hash:header:a_b"]
    .concat(
      "hash:header:-a",
      "hash:header:$host",
      "hash:header:a;",
      `hash:header:${"a".repeat(65)}`,
    )
    .concat("least_conn;", "ip_hash", "hash:client consistent", "least_conn\nx");
  for (const text of wrong) {
    assert.throws(() => balance(text), /^RejectedError: SERVICE_BALANCE '.*' is none of/, text);
  }
});
