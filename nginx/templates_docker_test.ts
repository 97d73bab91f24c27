// What the templates make of values that are alike: many are taken apart at once, and the result must be the same as if
// each had been looked at by itself.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Instance } from "../discovery/instance.ts";
import { encode, registrationOf } from "../discovery/registration.ts";
import { dockerTest } from "../scripts/testing/docker.ts";
import { registration, route } from "./testing/edge.ts";
import { Renderer } from "./testing/renderer.ts";

const VOUCHED = { "/rollcall/hosts/test": "{}" };

/** What may stand in a field by right, and what somebody may try. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9-]{1,8}$/) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['"', "\\", "\n", "\r", "\x01", "\x02", "\x03", "\x05", "\x06", "@", "", " ", "é", "<&>"],
      ...['","image":"', '","port":', ',"protocol":', '"since":"', '\\","routes":', '"}', "%s"],
    ),
  },
);
const address = fc.oneof(
  { weight: 8, arbitrary: fc.ipV4().map((ip) => ip.replace(/^(0|127)\./, "10.")) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("2001:db8::5", "::1", "fe80::1%eth0", "@", "10.0.0.256"),
  },
  { weight: 1, arbitrary: text },
);
const port = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(80, 8080) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(0, 65536, 80.5, "80", 1e30, -1, null, 65535) },
);
/** Few of them, so that neighbours often have the same. */
const form = fc.record({
  protocol: fc.constantFrom("tcp", "tcp", "tcp", "udp", "x"),
  weight: fc.constantFrom<unknown>(1, 1, 1, 0, 7, 1001, "1"),
  tags: fc.constantFrom<unknown>([], ["a", "b"], ['"since":"'], [["a"]]),
  attrs: fc.oneof(fc.constant({}), fc.dictionary(text, text, { maxKeys: 2 })),
  routes: fc.constantFrom<unknown>([], [route("a.org")], [route("*.b.org", "/x", true)], [{}]),
  balance: fc.constantFrom("round_robin", "least_conn", "hash:client", "hash:header:X-A", "random"),
});
const instances = fc.array(form, { minLength: 1, maxLength: 3 }).chain((forms) =>
  fc.array(
    fc.record({
      service: fc.constantFrom("web", "web", "api", "Web"),
      host: fc.constantFrom("h1", "h1", "h1", "h2"),
      form: fc.constantFrom(...forms),
      own: fc.record({ address, port, container: text, image: text, since: text }),
    }),
    { minLength: 1, maxLength: 12 },
  )
);

dockerTest("the templates", async (t) => {
  await using renderer = await Renderer.start();

  await t.step("make the same of a value however it is written", async () => {
    await fc.assert(
      fc.asyncProperty(instances, async (instances) => {
        const write = (to: (value: string) => string) => ({
          ...VOUCHED,
          ...Object.fromEntries(instances.map(({ service, host, form, own }, i) => [
            `/services/${service}/${host}:c${i}:80`,
            to(registration(own.address, { ...form, ...own, host })),
          ])),
        });
        const usual = await renderer.render(write((value) => value));
        // With white space, and with the fields the other way round: nobody writes these so.
        const spaced = write((value) => JSON.stringify(JSON.parse(value), null, 1));
        assert.equal(await renderer.render(spaced), usual);
        const turned = write((value) =>
          JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(value)).reverse()))
        );
        assert.equal(await renderer.render(turned), usual);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });

  await t.step("leave out one of many that are alike, wherever it stands", async () => {
    const good = Array.from({ length: 20 }, (_, i) => [
      `/services/web/h:c${String(i).padStart(2, "0")}:80`,
      registration(`10.0.0.${i}`, { container: `c${i}` }),
    ]);
    const bad = [
      registration("10.9.9.9").slice(0, -1),
      registration("10.9.9.9; } server { listen 1"),
      registration("10.9.9.9", { port: 0 }),
      registration("10.9.9.9", { container: "x" }).replace('"x"', '"\x01"'),
      registration("10.9.9.9", { container: "x" }).replace('"x"', '"a\nb"'),
      registration("10.9.9.9", { container: "x" }).replace('"x"', '"\\x"'),
      registration("10.9.9.9").replace("8080", "08080"),
      registration("10.9.9.9").replace("8080", "8080,"),
      // Two addresses: the second is the one that counts in JSON.
      registration("10.9.9.9", { container: "x" }).replace('"x"', '"x","address":"6.6.6.256"'),
      registration("10.9.9.9").replace('"since"', '"address":"6.6.6.256","since"'),
      registration("10.9.9.9").replace('"since"', '"port":0,"since"'),
      // The templates' own marks.
      '{"address":"10.9.9.9","port":8080\x01c\x02test\x032026-11-23T03:00:00.000Z"}',
      registration("10.9.9.9").replace(/,"protocol".*"container":"/, "\x01"),
      ...["\x01", "\x02", "\x03", "\x05", "\x06", "\n\x06"].flatMap((mark) => [
        mark,
        registration("10.9.9.9", { container: "x" }).replace('"x"', `"${mark}"`),
        registration("10.9.9.9", { container: "x" }).replace('"x"', `"y",${mark}:1`),
      ]),
    ];
    // First, in the middle, last.
    const places = ["-", "10a", "19a"];
    for (const [i, value] of bad.entries()) {
      for (const at of i % 3 === 0 ? places : places.slice(0, 1)) {
        const config = await renderer.render({
          ...VOUCHED,
          ...Object.fromEntries(good),
          [`/services/web/h:c${at}:80`]: value,
        });
        for (let i = 0; i < 20; i++) assert.ok(config.includes(`server 10.0.0.${i}:8080 `), value);
        assert.ok(!config.includes("10.9.9.9:") && !config.includes("6.6.6."), value);
        assert.ok(config.includes(`# left out: /services/web/h:c${at}:80: `), value);
      }
    }
  });

  await t.step("make backups of a hundred, whether they are alike or not", async () => {
    for (const image of [() => ["test"], (i: number) => [`test:${i % 3}`, i % 3]]) {
      const config = await renderer.render({
        ...VOUCHED,
        ...Object.fromEntries(Array.from({ length: 250 }, (_, i) => {
          const [name, attrs] = image(i);
          return [
            `/services/web/h:c${i}:80`,
            registration(`10.0.0.${i}`, { image: name, attrs: { kind: `${attrs}` } }),
          ];
        })),
      });
      const lines = config.match(/^ +server 10\..*$/gm) ?? [];
      assert.equal(lines.length, 250);
      assert.deepEqual(lines.map((line) => / backup;$/.test(line)), lines.map((_, i) => i < 100));
    }
  });
});

dockerTest("the templates take what Rollcall writes the short way", async () => {
  await using renderer = await Renderer.start(
    '{{ include "endpoints.tmpl" (gets "/services/*/*") }}',
  );
  const instance = (i: number): Instance => ({
    check: { kind: "none" },
    id: `h:c${i}:8080`,
    service: "web",
    address: `10.0.0.${i}`,
    port: 8080,
    protocol: "tcp",
    weight: 1,
    tags: ["a", "b"],
    attrs: { region: "eu" },
    routes: [{ host: "a.org", path: "/", strip: false }],
    balance: "least_conn",
  });
  const entries = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [
    `/services/web/h:c${i}:8080`,
    encode(registrationOf(
      instance(i),
      { host: "h", name: `c${i}`, image: `web:${i}` },
      `2026-11-23T03:00:${String(i).padStart(2, "0")}.000Z`,
    )),
  ]));
  const text = await renderer.render(entries);
  const [run, ...others] = text.split("\x05")[0]!.split("\x06");
  assert.equal(run!.split("\n\x01").length, 51, text);
  assert.deepEqual(others, [""], "one run for all of them");
});
