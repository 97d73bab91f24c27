// A fuzz of what containers may bring along: no throw, every refusal has a reason, keys stay well-formed.
import assert from "node:assert/strict";
import fc from "fast-check";
import { sampleContainer } from "../docker/sample_container.ts";
import type { Container, Port } from "../instance.ts";
import { INSTANCE_ID, SERVICE_NAME } from "../keys.ts";
import { decodeRegistration, decodeStatus } from "../registration.ts";
import { Roster } from "./roster.ts";

/** More of them find more: PROPERTY_RUNS=100000 deno test … */
const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 3_000);
const RULES = { host: "h", networks: ["edge"], explicit: false, tags: [] };
const NOW = Date.parse("2026-11-23T03:00:00.000Z");

const nasty = fc.constantFrom(
  "; } server { listen 81; } #",
  "${jndi:ldap://x}",
  "$(reboot)",
  "`id`",
  "a\nb",
  "a\r\n\r\nGET / HTTP/1.1",
  "\u0000",
  "\u001b[2J",
  "\u202Etxt.exe",
  "\uD800",
  "../../etc/passwd",
  "/",
  "__proto__",
  "constructor",
  "prototype",
  "{{ range . }}",
  '"}]}',
  "999999999999999999999",
  "-1",
  "0x50",
  "1e9",
  "NaN",
  "x".repeat(5_000),
  "ä漢😀",
  "",
  " ",
);
const plausible = fc.constantFrom(
  "web",
  "80",
  "10",
  "/readyz",
  "www.example.org",
  "true",
  "5s",
  "edge",
  "a,b",
);
const text = fc.oneof(plausible, nasty, fc.string({ unit: "binary", maxLength: 40 }));
const KEYS =
  "NAME ID TAGS IGNORE NETWORK WEIGHT HOST PATH CHECK_HTTP CHECK_TCP CHECK_INTERVAL CHECK_TIMEOUT __proto__"
    .split(" ");
const port = fc.constantFrom("", "80_", "53_", "0_", "99999_", "00080_");
const key = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(port, fc.constantFrom(...KEYS)).map(([port, key]) =>
      `SERVICE_${port}${key}`
    ),
  },
  { weight: 1, arbitrary: text.map((name) => `SERVICE_${name}`) },
  { weight: 1, arbitrary: text },
);
// Not fc.dictionary: __proto__ must become a label too, as it does out of JSON.
const texts = fc.array(fc.tuple(key, text), { maxLength: 8 }).map((all) => Object.fromEntries(all));
const exposed = fc.uniqueArray(
  fc.record<Port>({
    number: fc.constantFrom(80, 53, 65535),
    protocol: fc.constantFrom("tcp", "udp"),
  }),
  { maxLength: 3, selector: ({ number, protocol }) => `${number}/${protocol}` },
);
const hostile: fc.Arbitrary<Partial<Container>> = fc.record({
  labels: texts,
  env: texts,
  exposed,
  name: fc.oneof(
    { weight: 5, arbitrary: fc.constant("evil-1") },
    text.filter((name) => name !== ""),
  ),
  image: fc.oneof({ weight: 5, arbitrary: fc.constant("evil:1") }, text),
});

Deno.test("hostile labels, variables, names: never a throw, always a reason, keys well-formed, the neighbour untouched", () => {
  const neighbour = sampleContainer({
    id: "good",
    name: "good-1",
    startedAt: "2026-11-23T01:00:00Z",
  });
  let rejected = 0;
  let registered = 0;
  fc.assert(
    fc.property(hostile, (change) => {
      const roster = new Roster(RULES);
      roster.saw(neighbour, NOW, NOW);
      roster.saw(sampleContainer({ id: "evil", ...change }), NOW, NOW);
      for (const target of roster.targets().values()) {
        roster.probed(target, { ok: true, detail: "connected" }, NOW);
      }
      const entries = roster.entries();
      const good = decodeRegistration(
        "/services/nginx/h:good-1:80",
        entries.get("/services/nginx/h:good-1:80") ?? "",
      );
      assert.equal(good?.container, "good-1");
      for (const [key, value] of entries) {
        assert.ok(value.length < 200_000);
        if (key.startsWith("/services/")) {
          const [, , service, id, ...rest] = key.split("/");
          assert.match(service!, SERVICE_NAME);
          assert.match(id!, INSTANCE_ID);
          assert.deepEqual(rest, []);
          assert.ok(decodeRegistration(key, value), `${key} ${value}`);
          registered++;
        } else {
          assert.match(key, /^\/rollcall\/status\/h\/(good|evil)\/(-|\d{1,5}(:udp)?)$/);
          const status = decodeStatus(value);
          assert.ok(status, value);
          assert.ok(status.reason.length > 10 && status.reason.length < 1_000, status.reason);
          assert.doesNotMatch(status.reason, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
          if (status.state === "rejected") rejected++;
        }
      }
      assert.equal(({} as Record<string, unknown>)["name"], undefined);
    }),
    { numRuns: RUNS },
  );
  const enough = rejected > RUNS / 30 && registered > RUNS * 1.05; // the neighbour counts too
  assert.ok(enough, `${rejected} rejected, ${registered} registered`);
});
