// Docker's recorded replies, damaged at random: each is a container, a list or an error, and nothing else happens.
import assert from "node:assert/strict";
import fc from "fast-check";
import { instancesOf } from "../registrator/instances_of.ts";
import { parseContainer, parseList } from "./replies.ts";

/** More of them find more: PROPERTY_RUNS=100000 deno test … */
const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 2_000);
const DATA = new URL("./testdata/", import.meta.url);
const recorded = [...Deno.readDirSync(DATA)].map(({ name }) => name)
  .filter((name) => /(inspect.*|list)\.json$/.test(name)).sort()
  .map((name) => Deno.readTextFileSync(new URL(name, DATA)));

/** Values as JSON, since that is how a reply comes: `__proto__` is a key like any other there. */
const values = fc.oneof(
  fc.constantFrom(
    ...["null", "true", "-1", "1e400", '""', '"x"', "[]", "{}", "[[]]", '"\\u0000"', '"99999/tcp"'],
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    '[{"__proto__":{"polluted":1}}]',
    '[{"HostIp":"::","HostPort":"80"},{"HostPort":"-1"},null]',
    '{"80/tcp":[{"HostIp":"x","HostPort":"80"}],"__proto__":[]}',
    '["SERVICE_NAME=a","__proto__=b","=","SERVICE_=x"]',
    `"${"x".repeat(100_000)}"`,
    `{"a":${"[".repeat(1_000)}${"]".repeat(1_000)}}`,
  ),
  fc.json({ maxDepth: 3 }),
);
interface Damage {
  /** Which of all the places of the reply, as a share. */
  readonly place: number;
  readonly how: string;
  readonly value: string;
}
const damage: fc.Arbitrary<Damage> = fc.record({
  place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  how: fc.constantFrom("replace", "delete", "add", "pollute"),
  value: values,
});

type Node = Record<string, unknown>;

/** Every object or array with every key in it. */
function* places(node: unknown): Iterable<readonly [Node, string]> {
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    yield [node as Node, key];
    yield* places(value);
  }
}

function damaged(reply: unknown, { place, how, value: json }: Damage) {
  const all = [...places(reply)];
  const spot = all[Math.floor(place * all.length)];
  if (!spot) return;
  const [parent, key] = spot;
  const value = JSON.parse(json);
  if (how === "delete") delete parent[key];
  else if (how === "add") parent[`${key}x`] = value;
  else if (how === "replace") parent[key] = value;
  else {
    Object.defineProperty(parent, "__proto__", {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

Deno.test("parseList() and parseContainer() make of a damaged reply a result or an error, soon, and pollute nothing", () => {
  const outcomes = { read: 0, refused: 0, registered: 0 };
  fc.assert(
    fc.property(
      fc.constantFrom(...recorded),
      fc.array(damage, { minLength: 1, maxLength: 4 }),
      (text, damages) => {
        const reply = JSON.parse(text);
        for (const one of damages) damaged(reply, one);
        const began = performance.now();
        try {
          if (Array.isArray(reply)) {
            for (const { id, networks } of parseList(reply)) assert.ok(id !== "" && networks);
          } else {
            const container = parseContainer(reply);
            assert.equal(Object.getPrototypeOf(container), Object.prototype);
            assert.ok(container.id !== "" && container.name !== "");
            const rules = { host: "h", networks: ["shop_edge"], explicit: false, tags: [] };
            outcomes.registered += instancesOf(container, rules).instances.length;
            instancesOf(container, { ...rules, published: true, ip: "192.0.2.7" });
          }
          outcomes.read++;
        } catch (error) {
          const { message } = error as Error;
          assert.match(message, /^Cannot read the (list of containers|container): /);
          assert.ok(message.length <= 500);
          outcomes.refused++;
        }
        assert.ok(performance.now() - began < 2_000);
        assert.equal(({} as Node)["polluted"], undefined);
        assert.equal(([] as unknown as Node)["polluted"], undefined);
      },
    ),
    { numRuns: RUNS },
  );
  const { read, refused, registered } = outcomes;
  assert.ok(
    read > RUNS / 5 && refused > RUNS / 20 && registered > RUNS / 20,
    JSON.stringify(outcomes),
  );
});

Deno.test("parseList() says soon what is wrong with a list of 10,000 rows that are none", () => {
  const began = performance.now();
  assert.throws(() => parseList(Array(10_000).fill({ Id: 1 })), /^Error: Cannot read the list/);
  assert.ok(performance.now() - began < 5_000);
});
