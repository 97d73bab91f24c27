// Contest: as instances come and go, as if all were looked at anew.
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Claim, winnersOf } from "./claims.ts";
import { Contest } from "./contest.ts";

const name = fc.constantFrom("api", "shop", "web");
const route = fc.constantFrom("a.org /", "a.org /x", " /");
const claim: fc.Arbitrary<Claim> = fc.record({
  service: name,
  routes: fc.uniqueArray(route, { maxLength: 3 }),
});
const act = fc.oneof(
  fc.record({ token: fc.nat(4), claim: fc.option(claim) }),
  fc.record({ others: fc.array(fc.tuple(route, name)).map((all) => new Map(all)) }),
);

Deno.test("Contest, whoever comes and goes: the winners are as if all were looked at anew, and who is concerned is told", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const contest = new Contest<number>();
      const claims = new Map<number, Claim>();
      let others = new Map<string, string>();
      for (const act of acts) {
        const before = new Map(contest.winners);
        const told = new Set<number>();
        const tell = (tokens: readonly number[]) => tokens.forEach((token) => told.add(token));
        if ("others" in act) {
          others = act.others;
          tell(contest.elsewhere(others));
        } else {
          const old = claims.get(act.token);
          if (old) tell(contest.remove(old, act.token));
          claims.delete(act.token);
          if (act.claim) tell(contest.add(act.claim, act.token));
          if (act.claim) claims.set(act.token, act.claim);
        }
        const all = winnersOf(claims.values(), others);
        for (const [token, { routes }] of claims) {
          for (const route of routes) {
            assert.equal(contest.winners.get(route), all.get(route));
            if ("token" in act && act.token === token) continue; // it knows that it came
            if (before.get(route) !== all.get(route)) assert.ok(told.has(token), route);
          }
        }
      }
      for (const [token, claim] of claims) contest.remove(claim, token);
      assert.equal(contest.winners.size, 0);
    }),
    { numRuns: 500 },
  );
});
