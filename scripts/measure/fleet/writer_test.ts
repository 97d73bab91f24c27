import { deepEqual, equal } from "node:assert/strict";
import { decodeRegistration, decodeStatus } from "../../../discovery/registration.ts";
import { changeAt, changesFor } from "./writer.ts";

Deno.test("changeAt() takes out only what is there, and leaves two more after each twenty", () => {
  const there = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const { instance, put } = changeAt(i);
    equal(there.has(instance), !put, `change ${i}`);
    if (put) there.add(instance);
    else there.delete(instance);
    if (i % 20 === 19) equal(there.size, 2 * (i + 1) / 20);
  }
});

Deno.test("changesFor() writes what a registrator and the edge can read, and takes the same keys out", () => {
  const { puts } = changesFor(70_000, true, 100);
  const [[key, registration], [, status]] = [...puts] as [[string, string], [string, string]];
  equal(decodeRegistration(key, registration)?.address, "10.1.17.112");
  equal(decodeStatus(status)?.state, "up");
  deepEqual(changesFor(70_000, false, 100).deletes, [...puts.keys()]);
});
