// What this host's registration goes by: its settings, and what Docker says of the registrator itself. Owns no rule.
import type { Engine } from "../docker/engine.ts";
import type { Rules } from "./instances_of.ts";
import type { Config } from "./settings.ts";

/** What the registrator asks of Docker about itself. */
export interface Self {
  readonly host: string;
  readonly networks: readonly string[];
  readonly hostAddress: string;
}

/**
 * The host's name and address, and the networks, asked of Docker where they are not set. `hostname`
 * is the container it runs in. Throws when Docker does not answer, or does not know it.
 */
export async function selfOf(
  engine: Pick<Engine, "hostName" | "inspect">,
  { host: named, network, ip }: Config,
  hostname: string,
  signal?: AbortSignal,
): Promise<Self> {
  const host = named || await engine.hostName(signal);
  if (network.length > 0 && ip !== "") return { host, networks: network, hostAddress: ip };
  const own = await engine.inspect(hostname, signal);
  if (!own && network.length === 0) {
    throw new Error("Cannot find the registrator's own container: set ROLLCALL_NETWORK");
  }
  const networks = network.length > 0 ? network : own!.networks.map(({ name }) => name);
  // The gateway of a network that nginx shares is the host, as its containers see it.
  const gateways = networks.map((name) => own?.gateways[name] ?? "");
  return { host, networks, hostAddress: gateways.find((address) => address !== "") ?? "" };
}

/** Everything that decides what a container amounts to, for the registrator and for `rollcall explain`. */
export function rulesOf(config: Config, self: Self): Rules {
  const { internal, ip, use_ip_from_label, explicit, tags } = config;
  return { ...self, published: !internal, ip, addressLabel: use_ip_from_label, explicit, tags };
}
