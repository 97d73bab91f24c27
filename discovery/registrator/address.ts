// What an address of an instance may look like. Pure; owns no choice between several.
import { isIPv4, isIPv6 } from "node:net";

/**
 * The address in its one usual form, without a prefix length (`10.0.0.5/24`); undefined when it is
 * none, or one that means something else on every machine or no machine at all: loopback,
 * wildcard, link-local, multicast, and IPv4 written as IPv6.
 */
export function unicast(text: string): string | undefined {
  const address = text.trim().replace(/\/\d{1,3}$/, "");
  if (isIPv4(address)) {
    const [first, second] = address.split(".").map(Number) as [number, number];
    const special = first === 0 || first === 127 || first >= 224 ||
      (first === 169 && second === 254);
    return special ? undefined : address;
  }
  if (!isIPv6(address) || address.includes("%")) return undefined;
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  return /^(::|fe[89ab]|ff)/.test(canonical) ? undefined : canonical;
}

/** Whether it stands for every address of a host. */
export function isWildcard(address: string): boolean {
  return address === "" || address === "0.0.0.0" || address === "::";
}
