// Containers as somebody would write them who means harm, and what must hold whatever they bring. For tests and measurements only.
import assert from "node:assert/strict";
import fc from "fast-check";
import { sampleContainer } from "../docker/sample_container.ts";
import type { Container, Port, Publication } from "../instance.ts";
import { INSTANCE_ID, SERVICE_NAME } from "../keys.ts";
import { decodeRegistration, decodeStatus } from "../registration.ts";
import type { Rules } from "./instances_of.ts";
import { LABELS } from "./labels.ts";
import { Roster } from "./roster.ts";

const MEGABYTE = "x".repeat(1024 * 1024);

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
  "1s".repeat(2_000),
  "x".repeat(5_000),
  ",".repeat(4_000),
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
  "200-299",
  "HEAD",
  "edge",
  "a,b",
  "10.0.0.5/24",
  "127.0.0.1",
);
const text = fc.oneof(
  { weight: 1_000, arbitrary: plausible },
  { weight: 1_000, arbitrary: nasty },
  { weight: 1_000, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(MEGABYTE, "9".repeat(MEGABYTE.length)) },
);
const KEYS = [...Object.keys(LABELS), "check_https", "check_script", "check_ttl", "__proto__"];
const port = fc.constantFrom("", "80_", "53_", "0_", "99999_", "00080_");
const key = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(port, fc.constantFrom(...KEYS)).map(([port, key]) =>
      `SERVICE_${port}${key === "__proto__" ? key : key.toUpperCase()}`
    ),
  },
  { weight: 1, arbitrary: text.map((name) => `SERVICE_${name}`) },
  { weight: 1, arbitrary: text },
  { weight: 1, arbitrary: fc.constant("net.address") },
);
// Not fc.dictionary: __proto__ must become a label too, as it does out of JSON.
const texts = fc.array(fc.tuple(key, text), { maxLength: 8 }).map((all) => Object.fromEntries(all));
const ports = fc.record<Port>({
  number: fc.constantFrom(80, 53, 65535),
  protocol: fc.constantFrom("tcp", "udp"),
});
const exposed = fc.uniqueArray(ports, {
  maxLength: 3,
  selector: ({ number, protocol }) => `${number}/${protocol}`,
});
const published = fc.array(
  fc.record<Publication>({
    port: ports,
    address: fc.constantFrom(
      "0.0.0.0",
      "::",
      "127.0.0.1",
      "10.0.0.9",
      "fe80::1%eth0",
      "no address",
    ),
    hostPort: fc.constantFrom(80, 8080, 65535),
  }),
  { maxLength: 3 },
);

/** A container, and whether the registrator takes published ports or containers' own. */
export interface Hostile {
  /** What is hostile about it; the rest is as `sampleContainer` has it. */
  readonly container: Partial<Container>;
  readonly published: boolean;
}

const container: fc.Arbitrary<Partial<Container>> = fc.record({
  labels: texts,
  env: texts,
  exposed,
  published,
  networkMode: fc.constantFrom("edge", "edge", "host", "none", "container:x"),
  name: fc.oneof(
    { weight: 5, arbitrary: fc.constant("evil-1") },
    text.filter((name) => name !== ""),
  ),
  image: fc.oneof({ weight: 5, arbitrary: fc.constant("evil:1") }, text),
});

/** Every kind of them. */
export const hostile: fc.Arbitrary<Hostile> = fc.record({ container, published: fc.boolean() });

const INTERNAL: Rules = {
  ...{ host: "h", networks: ["edge"], explicit: false, tags: [] },
  hostAddress: "172.20.0.1",
};
const PUBLISHED: Rules = {
  ...{ host: "h", networks: ["edge"], explicit: false, tags: ["forced"] },
  ...{ published: true, ip: "192.0.2.7", addressLabel: "net.address" },
};
const NOW = Date.parse("2026-11-23T03:00:00.000Z");
const GOOD = "/services/nginx/h:good-1:80";
const neighbour = sampleContainer({
  id: "good",
  name: "good-1",
  startedAt: "2026-11-23T01:00:00Z",
  published: [{ port: { number: 80, protocol: "tcp" }, address: "0.0.0.0", hostPort: 8080 }],
});

/** What a hostile container came to. */
export interface Outcome {
  readonly registered: number;
  readonly rejected: number;
}

/** The neighbour's keys as they stand without any hostile container beside it. */
const undisturbed = new Map([INTERNAL, PUBLISHED].map((rules) => [rules, entriesBeside(rules)]));

/**
 * Throws an AssertionError unless: nothing throws, the neighbour's keys stand as they would alone,
 * keys and values are well-formed, and whatever is rejected has a reason that a terminal can show.
 */
export function examine({ container, published }: Hostile): Outcome {
  const outcome = { registered: 0, rejected: 0 };
  const rules = published ? PUBLISHED : INTERNAL;
  const entries = entriesBeside(rules, sampleContainer({ id: "evil", ...container }));
  const alone = undisturbed.get(rules)!;
  assert.ok(alone.has(GOOD));
  for (const [key, value] of alone) assert.equal(entries.get(key), value);
  for (const [key, value] of entries) {
    if (alone.has(key)) continue;
    assert.ok(value.length < 200_000);
    if (key.startsWith("/services/")) {
      const [, , service, id, ...rest] = key.split("/");
      assert.match(service!, SERVICE_NAME);
      assert.match(id!, INSTANCE_ID);
      assert.deepEqual(rest, []);
      assert.ok(decodeRegistration(key, value), `${key} ${value}`);
      outcome.registered++;
      continue;
    }
    assert.match(key, /^\/rollcall\/status\/h\/evil\/(-|\d{1,5}(:udp)?)$/);
    const status = decodeStatus(value);
    assert.ok(status, value);
    assert.ok(status.reason.length > 10 && status.reason.length < 1_000, status.reason);
    assert.doesNotMatch(status.reason, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    if (status.state === "rejected") outcome.rejected++;
  }
  assert.equal(({} as Record<string, unknown>)["name"], undefined);
  return outcome;
}

/** The keys of a host on which the neighbour runs, and maybe another container; every probe passes. */
function entriesBeside(rules: Rules, evil?: Container): ReadonlyMap<string, string> {
  const roster = new Roster(rules);
  roster.saw(neighbour, NOW, NOW);
  if (evil) roster.saw(evil, NOW, NOW);
  for (const target of roster.takeChanged().values().flatMap((id) => roster.targetsOf(id))) {
    roster.probed(target, { ok: true, detail: "connected", took: 1 }, NOW);
  }
  return roster.entries();
}
