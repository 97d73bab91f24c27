// Whose a key is, and what a predecessor left.
import assert from "node:assert/strict";
import { sampleContainer } from "../docker/sample_container.ts";
import { encode, registrationOf } from "../registration.ts";
import { inheritanceIn, ownerFor } from "./inheritance.ts";
import { instancesOf } from "./instances_of.ts";

const SINCE = "2026-11-23T03:00:00.000Z";
const rules = { host: "h", networks: ["edge"], explicit: false, tags: [] };
const [instance] = instancesOf(sampleContainer(), rules).instances;
const value = (host: string) =>
  encode(registrationOf(instance!, { host, name: "web", image: "i" }, SINCE));
const status = (state: "draining" | "up") =>
  encode({ state, reason: "r", since: SINCE, container: "web" });
const entry = (value: string) => ({ value, lease: "1" });

Deno.test("ownerFor() goes by the host in the value, not by the form of the key", () => {
  const owner = ownerFor("h");
  assert.equal(owner("/services/web/any", value("h")), "us");
  assert.equal(owner("/services/web/h:web:80", value("other")), "another");
});

Deno.test("ownerFor() takes a malformed value under an id of ours for one of ours, elsewhere for nobody's", () => {
  const owner = ownerFor("h");
  assert.equal(owner("/services/web/h:web:80", "garbage"), "us");
  assert.equal(owner("/services/web/h:web:80/more", "garbage"), "us");
  assert.equal(owner("/services/web/h2:web:80", "garbage"), "nobody");
  assert.equal(owner("/services/web/mine", "{}"), "nobody");
  assert.equal(owner("/services/", ""), "nobody");
});

Deno.test("ownerFor() leaves the vouchers and statuses of other hosts alone, also of those whose name begins as ours", () => {
  const owner = ownerFor("h");
  assert.equal(owner("/rollcall/hosts/h", ""), "us");
  assert.equal(owner("/rollcall/hosts/h2", ""), "another");
  assert.equal(owner("/rollcall/status/h/c/80", ""), "us");
  assert.equal(owner("/rollcall/status/h2/c/80", ""), "another");
});

Deno.test("inheritanceIn() picks this host's registrations, drainings and voucher", () => {
  const entries = new Map([
    ["/services/web/a", entry(value("h"))],
    ["/services/web/b", entry(value("other"))],
    ["/services/web/c", entry("garbage")],
    ["/rollcall/status/h/leaving/80", entry(status("draining"))],
    ["/rollcall/status/h/well/80", entry(status("up"))],
    ["/rollcall/status/h/odd/80", entry("garbage")],
    ["/rollcall/status/other/theirs/80", entry(status("draining"))],
    ["/rollcall/hosts/h", entry(encode({ host: "h", version: "0.1.0", since: SINCE }))],
  ]);
  const { registrations, statuses, draining, voucher } = inheritanceIn(entries, "h");
  assert.deepEqual([...registrations.keys()], ["/services/web/a"]);
  assert.deepEqual([...statuses.values()].map(({ state }) => state), ["draining", "up"]);
  assert.deepEqual([...draining.keys()], ["leaving"]);
  assert.equal(voucher?.since, SINCE);
  assert.deepEqual(inheritanceIn(new Map(), "h").voucher, undefined);
});
