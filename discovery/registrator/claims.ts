// Who answers on a route that several services claim. Pure; nginx/confd/templates/servers.conf.tmpl decides by the same rule.
import type { Entry } from "../etcd/registry.ts";
import { SERVICES } from "../keys.ts";
import { decodeRegistration, type Registration } from "../registration.ts";
import { shown } from "./rejected_error.ts";

/** What one instance in rotation claims for its service. */
export interface Claim {
  /** In lower case, as host names are. */
  readonly service: string;
  /** `host path`, where no host is any host. */
  readonly routes: readonly string[];
}

/** By route, the service that has it. */
export type Winners = ReadonlyMap<string, string>;

/**
 * The claim that the edge sees in a registration; without routes it is `<service>.localhost`. What
 * gets no requests claims nothing.
 */
export function claimOf(
  name: string,
  { protocol, weight, routes }: Pick<Registration, "protocol" | "weight" | "routes">,
): Claim {
  const service = name.toLowerCase();
  if (protocol !== "tcp" || weight === 0) return { service, routes: [] };
  const own = routes.map(({ host, path }) => `${host.toLowerCase()} ${path}`);
  return { service, routes: own.length > 0 ? own : [`${service}.localhost /`] };
}

/** Of the services that claim one route, the one whose name sorts first has it. */
export function winnersOf(claims: Iterable<Claim>, others: Winners = new Map()): Winners {
  const winners = new Map(others);
  for (const { service, routes } of claims) {
    for (const route of routes) {
      const winner = winners.get(route);
      if (winner === undefined || service < winner) winners.set(route, service);
    }
  }
  return winners;
}

/** The routes of everything in etcd that `host` has not registered. */
export function winnersElsewhere(entries: ReadonlyMap<string, Entry>, host: string): Winners {
  const claims: Claim[] = [];
  for (const [key, entry] of entries) {
    const made = key.startsWith(SERVICES) ? claimIn(key, entry) : undefined;
    if (made !== undefined && made.host !== host) claims.push(made.claim);
  }
  return winnersOf(claims);
}

interface Made {
  readonly host: string;
  readonly claim: Claim;
}

/** By entry, as each reading of etcd shows nearly all of the one before again: there may be ten thousand. */
const known = new WeakMap<Entry, Made | undefined>();

function claimIn(key: string, entry: Entry): Made | undefined {
  if (known.has(entry)) return known.get(entry);
  const registration = decodeRegistration(key, entry.value);
  const made = registration &&
    { host: registration.host, claim: claimOf(key.split("/")[2]!, registration) };
  known.set(entry, made);
  return made;
}

/** What to tell the owner of a service that does not get all it claims; undefined when it does. */
export function lostRoutes({ service, routes }: Claim, winners: Winners): string | undefined {
  const lost = routes.filter((route) => winners.get(route) !== service);
  if (lost.length === 0) return undefined;
  const [first = ""] = lost;
  const [host = "", path = "/"] = first.split(" ");
  const more = lost.length > 1 ? ` and ${lost.length - 1} more` : "";
  return `Not served on ${shown(host || "any host, ")}${shown(path)}${more}: the service ` +
    `${
      shown(winners.get(first)!)
    } claims it too, and of two names the one that sorts first has it. ` +
    "Change SERVICE_HOST or SERVICE_PATH of one of them.";
}
