// The labels that Rollcall understands, SERVICE_<KEY>, and what they mean in one line each. Owns no rule.

/** By key in registrator's form: lower case, without the prefix. What is not here becomes an attr. */
export const LABELS = {
  name:
    "name of the service; else Compose's service, else the image. Several ports: -<port> is added",
  id: "last part of the key; else <host>:<container>:<port>[:udp]",
  tags: "tags, separated by commas; \\, is a comma within one",
  ignore: "true: not registered",
  network: "which of the networks it shares with nginx; Compose's short name will do",
  weight: "share of the requests, 0 to 1000; else 1",
  host: "host names under which the edge serves it, separated by commas; *.example.org too",
  path: "path prefix under which the edge serves it",
  drain:
    "command of the pre_stop hook, as sleep 2: when it begins, the instance leaves; label only",
  path_strip: "true: the service gets requests without that prefix",
  balance: "round_robin, least_conn, hash:client or hash:header:<name>; else round_robin",
  check_http: "path that must answer for the instance to be in rotation",
  check_http_status: "statuses that pass, as 200, 200-299 or 200,204; else 200-399",
  check_http_method: "GET or HEAD; else GET",
  check_tcp: "true: it must accept a connection, again and again",
  check_interval: "time between two checks, as 500ms, 15s, 1m30s; else 10s",
  check_timeout: "how long one check may take; else 1s",
} as const;

/** Whether `key` has a meaning of its own. */
export function isLabel(key: string): key is keyof typeof LABELS {
  return Object.hasOwn(LABELS, key);
}
