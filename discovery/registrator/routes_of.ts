// SERVICE_HOST and SERVICE_PATH to routes. Pure; owns what a host name and a path may look like.
import type { Route } from "../instance.ts";
import type { Metadata } from "./metadata.ts";
import { reject, shown } from "./rejected_error.ts";

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
  if (path !== undefined && !/^\/[A-Za-z0-9._~\/-]{0,200}$/.test(path)) {
    const form = "it begins with / and has letters, digits, '.', '_', '~', '-'";
    reject("path", `'${shown(path)}' is not a path (${form})`);
  }
  return (hosts.length > 0 ? hosts : [""]).map((host) => ({ host, path: path ?? "/" }));
}

/** As DNS has it, a first label `*` apart. nginx refuses a whole configuration for `a..b`. */
function isHostName(name: string): boolean {
  return name.length <= 253 && name.replace(/^\*\./, "").split(".")
    .every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
}
