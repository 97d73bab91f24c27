// Which service has a route while instances come and go. Pure; the rule itself stands in claims.ts too, for one look at all.
import { type Claim, type Winners, winnersOf } from "./claims.ts";

/** The claims of this host's instances, each by a token of its own; what a change costs hangs on what it turns. */
export class Contest<T> {
  /** By route, then by service. */
  private readonly claimants = new Map<string, Map<string, Set<T>>>();
  private readonly won = new Map<string, string>();
  private others: Winners = new Map();

  /** By route, the service that has it, where this host claims it. */
  get winners(): Winners {
    return this.won;
  }

  /** An instance claims its routes; returns those for whom a route has a new owner by that. */
  add({ service, routes }: Claim, token: T): readonly T[] {
    for (const route of routes) {
      const services = this.claimants.get(route) ?? new Map<string, Set<T>>();
      this.claimants.set(route, services);
      services.set(service, (services.get(service) ?? new Set<T>()).add(token));
    }
    return routes.flatMap((route) => this.settle(route));
  }

  /** It does not any more. */
  remove({ service, routes }: Claim, token: T): readonly T[] {
    for (const route of routes) {
      const services = this.claimants.get(route);
      const tokens = services?.get(service);
      tokens?.delete(token);
      if (tokens?.size === 0) services!.delete(service);
      if (services?.size === 0) this.claimants.delete(route);
    }
    return routes.flatMap((route) => this.settle(route));
  }

  /** What other hosts' services have, of all routes. */
  elsewhere(others: Winners): readonly T[] {
    const before = this.others;
    if (others === before) return [];
    this.others = others;
    const routes = [...before.keys(), ...others.keys()];
    return routes.flatMap((route) =>
      before.get(route) === others.get(route) ? [] : this.settle(route)
    );
  }

  private settle(route: string): readonly T[] {
    const services = this.claimants.get(route);
    const before = this.won.get(route);
    if (services === undefined) {
      this.won.delete(route);
      return [];
    }
    const elsewhere = this.others.get(route);
    const claims = [...services.keys(), ...elsewhere === undefined ? [] : [elsewhere]]
      .map((service) => ({ service, routes: [route] }));
    const winner = winnersOf(claims).get(route)!;
    if (winner === before) return [];
    this.won.set(route, winner);
    return [...services.values()].flatMap((tokens) => [...tokens]);
  }
}
