// Many registrations at once, for tests and measurements that need a full etcd. Owns no connection.
import { registration } from "./edge.ts";

/** What is registered, besides how much. */
export interface Crowd {
  /** Into how many services the instances are dealt out; 1. */
  readonly services?: number;
  /** Whether each service has a host name and a path of its own; false. */
  readonly routed?: boolean;
}

/** `count` registrations by key, at addresses from 10.0.0.0 on that nobody has. At most 10.255.255.255. */
export function crowd(
  count: number,
  { services = 1, routed = false }: Crowd = {},
): Record<string, string> {
  const entries: Record<string, string> = {};
  for (let i = 0; i < count; i++) {
    const name = `crowd-${i % services}`;
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    const routes = [{ host: `${name}.example.org`, path: "/api", strip: false }];
    entries[`/services/${name}/test:${name}-${i}:8080`] = registration(address, {
      container: `${name}-${i}`,
      ...(routed && { routes, balance: "least_conn" }),
    });
  }
  return entries;
}
