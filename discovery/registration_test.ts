// The codec of the values (contract 1).
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Instance } from "./instance.ts";
import {
  decodeRegistration,
  decodeStatus,
  decodeVoucher,
  encode,
  encodeRegistration,
  inRotation,
  registrationOf,
} from "./registration.ts";

const SINCE = "2026-11-23T03:00:00.000Z";
const instance: Instance = {
  id: "h:web-1:80",
  service: "web",
  address: "172.20.0.5",
  port: 80,
  protocol: "tcp",
  weight: 1,
  tags: ["blue"],
  attrs: { region: "eu" },
  routes: [{ host: "www.example.org", path: "/", strip: true }],
  balance: "least_conn",
  check: { kind: "none" },
};
const container = { host: "h", name: "web-1", image: "nginx:1.30" };
const registration = registrationOf(instance, container, SINCE);
const KEY = "/services/web/h:web-1:80";

Deno.test("encode() writes exactly the fields of contract 1, always in the same order", () => {
  assert.equal(
    encode(registration),
    '{"address":"172.20.0.5","port":80,"protocol":"tcp","weight":1,"tags":["blue"],"attrs":{"region":"eu"},"host":"h","container":"web-1","image":"nginx:1.30","routes":[{"host":"www.example.org","path":"/","strip":true}],"balance":"least_conn","since":"2026-11-23T03:00:00.000Z"}',
  );
});

Deno.test("decodeRegistration() reads back what encode() wrote", () => {
  assert.deepEqual(decodeRegistration(KEY, encode(registration)), registration);
  const v6 = { ...registration, address: "fd00::5", protocol: "udp" as const };
  assert.deepEqual(decodeRegistration(KEY, encode(v6)), v6);
});

Deno.test("decodeRegistration() reads what a later version wrote with more fields", () => {
  const more = JSON.stringify({ ...registration, zone: "a" });
  assert.deepEqual(decodeRegistration(KEY, more), registration);
});

Deno.test("decodeRegistration() reads what an earlier version wrote, without strip and balance", () => {
  const { balance: _, ...rest } = registration;
  const old = JSON.stringify({ ...rest, routes: [{ host: "a.org", path: "/x" }] });
  const read = decodeRegistration(KEY, old);
  assert.deepEqual(read?.routes, [{ host: "a.org", path: "/x", strip: false }]);
  assert.equal(read?.balance, "round_robin");
});

Deno.test("decodeRegistration() refuses malformed values, each for one wrong field", () => {
  const wrong: Record<string, unknown> = {
    address: "172.20.0.5;",
    port: 0,
    protocol: "sctp",
    weight: -1,
    tags: "blue",
    attrs: { a: 1 },
    host: "",
    container: "",
    image: 1,
    routes: [{ host: "a" }],
    balance: "random;",
    since: "yesterday",
  };
  for (const [field, value] of Object.entries(wrong)) {
    assert.equal(
      decodeRegistration(KEY, JSON.stringify({ ...registration, [field]: value })),
      undefined,
      field,
    );
    if (field === "balance") continue; // it has a default
    const { [field as keyof typeof registration]: _, ...less } = registration;
    assert.equal(decodeRegistration(KEY, JSON.stringify(less)), undefined, `without ${field}`);
  }
  for (const text of ["", "null", "[]", "{", "7", '"x"', "\u0000"]) {
    assert.equal(decodeRegistration(KEY, text), undefined, text);
  }
});

Deno.test("decodeRegistration() refuses keys that are not of the form of contract 1", () => {
  const value = encode(registration);
  for (
    const key of [
      "/services/web",
      "/services/web/",
      "/services//a",
      "/services/web/a/b",
      "/services/we b/a",
      "/services/web./a",
      "/services/we..b/a",
      "/other/web/a",
      "services/web/a",
      "",
    ]
  ) assert.equal(decodeRegistration(key, value), undefined, key);
});

Deno.test("decoders never throw, whatever the text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
      decodeRegistration(KEY, text);
      decodeStatus(text);
      decodeVoucher(text);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a label __proto__ among the attrs is written as any other and changes no object", () => {
  const attrs = Object.fromEntries([["__proto__", "x"], ["constructor", "y"]]);
  const text = encode(registrationOf({ ...instance, attrs }, container, SINCE));
  assert.match(text, /"attrs":\{"__proto__":"x","constructor":"y"\}/);
  assert.equal(decodeRegistration(KEY, text)?.attrs["constructor"], "y");
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
});

Deno.test("decodeStatus() and decodeVoucher() read back what encode() wrote, and refuse the rest", () => {
  const status = { state: "draining", reason: "r", since: SINCE, container: "web-1" } as const;
  assert.deepEqual(decodeStatus(encode(status)), status);
  assert.equal(decodeStatus(JSON.stringify({ ...status, state: "gone" })), undefined);
  assert.equal(decodeStatus("no"), undefined);
  const voucher = { host: "h", version: "0.1.0", since: SINCE };
  assert.deepEqual(decodeVoucher(encode(voucher)), voucher);
  assert.equal(decodeVoucher("{}"), undefined);
});

Deno.test("inRotation() is true for up and for nothing else", () => {
  const states = ["starting", "up", "unhealthy", "paused", "draining", "rejected"] as const;
  assert.deepEqual(states.filter(inRotation), ["up"]);
});

Deno.test("encodeRegistration() writes what encode() does, and it is read back the same", () => {
  const registration = registrationOf(instance, container, "2026-11-23T04:05:06.007Z");
  const value = encodeRegistration(registration);
  assert.equal(value, encode(registration));
  assert.equal(decodeRegistration(KEY, value), registration, "without being checked again");
  const another = value.replace("04:05:06.007Z", "04:05:06.008Z");
  assert.deepEqual(decodeRegistration(KEY, another), {
    ...registration,
    since: "2026-11-23T04:05:06.008Z",
  });
});
