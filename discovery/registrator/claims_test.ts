// Who answers on a route that several services claim.
import assert from "node:assert/strict";
import fc from "fast-check";
import { claimOf, lostRoutes, winnersElsewhere, winnersOf } from "./claims.ts";

const tcp = { protocol: "tcp", weight: 1 } as const;
const route = (host: string, path = "/") => ({ host, path, strip: false });

Deno.test("claimOf() is the service's own name without routes, else its routes alone", () => {
  assert.deepEqual(claimOf("Shop", { ...tcp, routes: [] }), {
    service: "shop",
    routes: ["shop.localhost /"],
  });
  const routes = [route("A.org", "/api"), route("", "/b")];
  assert.deepEqual(claimOf("shop", { ...tcp, routes }).routes, ["a.org /api", " /b"]);
});

Deno.test("claimOf() is nothing for what gets no requests", () => {
  assert.deepEqual(claimOf("dns", { ...tcp, protocol: "udp", routes: [] }).routes, []);
  assert.deepEqual(claimOf("shop", { ...tcp, weight: 0, routes: [route("a.org")] }).routes, []);
});

Deno.test("winnersOf() gives a route to the service whose name sorts first, whatever the order", () => {
  const claims = ["web", "api", "shop"].map((name) =>
    claimOf(name, { ...tcp, routes: [route("a.org")] })
  );
  fc.assert(
    fc.property(fc.shuffledSubarray(claims, { minLength: 1 }), (some) => {
      const first = some.map(({ service }) => service).sort()[0];
      assert.equal(winnersOf(some).get("a.org /"), first);
      const [one, ...rest] = some;
      assert.deepEqual(winnersOf(rest, winnersOf([one!])), winnersOf(some));
    }),
  );
});

Deno.test("lostRoutes() names the route, the winner and what to do", () => {
  const winners = new Map([["a.org /", "api"], ["a.org /x", "shop"], [" /y", "api"]]);
  const lost = (...routes: string[]) => lostRoutes({ service: "shop", routes }, winners);
  assert.equal(lost("a.org /x"), undefined);
  assert.equal(
    lost("a.org /x", "a.org /"),
    "Not served on a.org/: the service api claims it too, and of two names the one that sorts first has it. Change SERVICE_HOST or SERVICE_PATH of one of them.",
  );
  assert.match(
    lost(" /y", "a.org /")!,
    /^Not served on any host, \/y and 1 more: the service api /,
  );
});

Deno.test("winnersElsewhere() reads what other hosts have registered, and nothing malformed", () => {
  const value = (host: string, more: Record<string, unknown> = {}) => ({
    lease: "1",
    value: JSON.stringify({
      ...{ address: "10.0.0.1", port: 80, protocol: "tcp", weight: 1, tags: [], attrs: {}, host },
      ...{ container: "c", image: "i", routes: [route("a.org")], since: "2026-11-23T03:00:00Z" },
      ...more,
    }),
  });
  const entries = new Map([
    ["/services/b/1", value("other")],
    ["/services/a/1", value("us")],
    ["/services/A/1", value("other", { port: 0 })],
    ["/rollcall/status/other/1/80", value("other")],
    ["/services/c/1", value("other", { routes: [{ host: "", path: "/old" }] })],
  ]);
  assert.deepEqual(
    winnersElsewhere(entries, "us"),
    new Map([["a.org /", "b"], [" /old", "c"]]),
  );
});
