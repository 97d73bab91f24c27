// Where the edge reaches one port of a container: address and port. Pure; owns the choice among several (contract 2).
import { type Container, type Port, portName, type Publication } from "../instance.ts";
import { isWildcard, unicast } from "./address.ts";
import { listed, reject, RejectedError, shown } from "./rejected_error.ts";

/** How the edge reaches containers. */
export interface Reach {
  /** Networks on which the edge reaches containers, the preferred one first. */
  readonly networks: readonly string[];
  /** Register ports where the host publishes them, as registrator does without `-internal`. */
  readonly published?: boolean;
  /** The host's address for everything that is reached there (registrator's `-ip`); empty: none is set. */
  readonly ip?: string;
  /** The host's address as a container sees it, for when `ip` is not set; empty: not known. */
  readonly hostAddress?: string;
  /** A label that holds a container's address (registrator's `-useIpFromLabel`); empty: none. */
  readonly addressLabel?: string;
}

/** An address and a port at which something answers. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Those of `ports` that can be reached at all: without `published` all, else what the host publishes. */
export function reachablePorts(
  container: Container,
  ports: readonly Port[],
  { published }: Reach,
): readonly Port[] {
  if (!published || onHost(container)) return ports;
  const found = new Set(container.published.map(({ port }) => portName(port)));
  return ports.filter((port) => found.has(portName(port)));
}

/**
 * The address that `addressLabel` names beats everything. Else it is the container's own, on a
 * network that the edge shares; for `network_mode: host`, and for published ports, the host's.
 * `wanted` is SERVICE_NETWORK. Throws a RejectedError.
 */
export function endpointOf(
  container: Container,
  port: Port,
  wanted: string | undefined,
  reach: Reach,
): Endpoint {
  const labelled = labelledAddress(container, reach.addressLabel);
  if (reach.published && !onHost(container)) {
    const publication = publicationOf(container, port, reach);
    const address = labelled ?? (reach.ip || ownAddress(publication) || addressOfHost(reach));
    return { address, port: publication.hostPort };
  }
  if (labelled !== undefined) return { address: labelled, port: port.number };
  return onHost(container) && wanted === undefined
    ? { address: addressOfHost(reach), port: port.number }
    : { address: addressOnNetwork(container, wanted, reach.networks), port: port.number };
}

function onHost({ networkMode }: Container): boolean {
  return networkMode === "host";
}

function labelledAddress({ labels }: Container, label: string | undefined): string | undefined {
  const text = label && Object.hasOwn(labels, label) ? labels[label] : undefined;
  if (!text) return undefined;
  const address = unicast(text);
  if (address === undefined) {
    throw new RejectedError(
      `Its label ${shown(label!)} '${
        shown(text)
      }' is not the address of a container (as 10.0.0.5).`,
    );
  }
  return address;
}

/** One of several: of `ip`'s family, else IPv4, then the lowest port. registrator takes what comes first. */
function publicationOf(container: Container, port: Port, { ip }: Reach): Publication {
  const all = container.published.filter((at) => portName(at.port) === portName(port));
  const usable = all.filter(({ address }) => isWildcard(address) || unicast(address));
  const family = (address: string) => address.includes(":") === (ip ?? "").includes(":") ? 0 : 1;
  const [best] = usable.toSorted((a, b) =>
    family(a.address) - family(b.address) || a.hostPort - b.hostPort ||
    (a.address < b.address ? -1 : 1)
  );
  if (best) return best;
  throw new RejectedError(
    all.length > 0
      ? `Its port ${port.number} is published on ${
        listed([...new Set(all.map(({ address }) => address))])
      } only, where nginx cannot reach it. Publish it on another address of the host.`
      : `Its port ${port.number} is not published. Add it to the \`ports:\` of its service, or start the registrator with --internal.`,
  );
}

function ownAddress({ address }: Publication): string | undefined {
  return isWildcard(address) ? undefined : unicast(address);
}

function addressOfHost({ ip, hostAddress, networks }: Reach): string {
  const address = ip || hostAddress;
  if (address) return address;
  throw new RejectedError(
    `It is reached at the host's address, which is not known. Set ROLLCALL_IP for the registrator, or put it on the network ${
      networks[0] ?? "of nginx"
    } and use its own address.`,
  );
}

function addressOnNetwork(
  { networks: on, networkMode }: Container,
  wanted: string | undefined,
  shared: readonly string[],
): string {
  const names = on.map(({ name }) => name);
  if (wanted !== undefined) {
    // Compose prefixes a network's name with the project's; people write the short one.
    const network = on.find(({ name }) => name === wanted) ??
      on.find(({ name }) => name.endsWith(`_${wanted}`) && shared.includes(name));
    const problem = !network
      ? `the container is not on it (it is on: ${listed(names)})`
      : !shared.includes(network.name)
      ? `nginx cannot reach it (it is on: ${listed(shared)})`
      : `the container has no address there`;
    return network?.address && shared.includes(network.name)
      ? network.address
      : reject("network", `'${shown(wanted)}': ${problem}`);
  }
  for (const name of shared) {
    const address = on.find((network) => network.name === name)?.address;
    if (address) return address;
  }
  const advice = `network ${shared[0] ?? "of nginx"}`;
  if (networkMode.startsWith("container:")) {
    throw new RejectedError(
      "It uses another container's network (network_mode: container). Give that one its labels, with SERVICE_<port>_NAME for the port.",
    );
  }
  if (networkMode === "none") {
    throw new RejectedError(`It has no network (network_mode: none). Put it on the ${advice}.`);
  }
  throw new RejectedError(
    `It is on no network that nginx shares (it is on: ${
      listed(names)
    }). Add the ${advice} to its service.`,
  );
}
