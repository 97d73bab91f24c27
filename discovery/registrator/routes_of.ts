// SERVICE_HOST and SERVICE_PATH to routes. Pure; owns what a host name and a path may look like.
import type { Route } from "../instance.ts";
import type { Metadata } from "./metadata.ts";
import { isYes, reject, shown } from "./rejected_error.ts";

/** More than anybody means to name on one container; the edge's gate takes no more. */
const MOST_HOSTS = 16;
const LONGEST_PATH = 200;

/** The routes that are asked for; none: the edge decides. An empty host is any host. Throws a RejectedError. */
export function routesOf(metadata: Metadata): readonly Route[] {
  const hosts = (metadata.get("host") ?? "").split(",").map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const path = metadata.get("path");
  if (hosts.length === 0 && path === undefined) return [];
  const wrong = hosts.find((name) => !isHostName(name));
  if (wrong !== undefined) {
    reject("host", `'${shown(wrong)}' is not a host name (as in www.example.org, *.example.org)`);
  }
  if (hosts.length > MOST_HOSTS) {
    reject("host", `has ${hosts.length} names, more than ${MOST_HOSTS}`);
  }
  if (path !== undefined && !isPath(path)) {
    const form =
      "segments of letters, digits, '.', '_', '~', '-', each after one /; not ., .. or %";
    reject("path", `'${shown(path)}' is not a path (${form})`);
  }
  if (path?.startsWith("/.rollcall")) {
    reject("path", `'${shown(path)}' is nginx's own, as is all that begins with /.rollcall`);
  }
  const prefix = path?.replace(/\/$/, "") || "/";
  const strip = prefix !== "/" && isYes(metadata.get("path_strip"));
  return (hosts.length > 0 ? hosts : [""]).map((host) => ({ host, path: prefix, strip }));
}

/** nginx resolves `//`, `.` and `..` before it looks for a path: one that has them would never be found. */
function isPath(path: string): boolean {
  return path === "/" || path.length <= LONGEST_PATH &&
      /^(?:\/\.*[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\/?$/.test(path);
}

/** As DNS has it, a first label `*` apart. nginx refuses a whole configuration for `a..b`. */
function isHostName(name: string): boolean {
  return name.length <= 253 && name.replace(/^\*\./, "").split(".")
    .every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
}
