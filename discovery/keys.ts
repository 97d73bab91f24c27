// The names of the keys in etcd (contract 1). Owns no values and no I/O.

/** Everything the edge reads about instances lies below it. */
export const SERVICES = "/services/";
/** One key for each registrator that vouches for its host. */
export const HOSTS = "/rollcall/hosts/";
/** Why a known instance is or is not in rotation, for people. */
export const STATUS = "/rollcall/status/";
/** Who is out of rotation by hand. People write these, on no lease: they outlive every registrator. */
export const DRAINS = "/rollcall/drain/";

/** A service's name: it becomes a key, an nginx upstream and a host name, so no dot follows another or ends it. */
export const SERVICE_NAME = /^(?!.*\.(?:\.|$))[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** An instance's id: one path segment of printable ASCII, no slash, at most 255 characters. */
export const INSTANCE_ID = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,254}$/;

/** `/services/<service>/<instance-id>`: exists if and only if the instance should get traffic. */
export function serviceKey(service: string, instanceId: string): string {
  return `${SERVICES}${service}/${instanceId}`;
}

/** `/rollcall/hosts/<host>`: the registrator of that host vouches for its part of /services. */
export function hostKey(host: string): string {
  return `${HOSTS}${host}`;
}

/** `/rollcall/status/<host>/<container-id>/<port>`, as in `80` or `53:udp`; `-` is the whole container. */
export function statusKey(host: string, containerId: string, port: string): string {
  return `${STATUS}${host}/${containerId}/${port}`;
}

/** `/rollcall/drain/<host>/<container>`: the container of that name is to get no traffic until the key is deleted. */
export function drainKey(host: string, container: string): string {
  return `${DRAINS}${host}/${container}`;
}
