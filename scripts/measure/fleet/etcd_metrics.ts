// What etcd says of itself at /metrics, and what was asked of it between two looks. Pure but for the one fetch.

/** Numbers by name, as in `grpc_server_handled_total{grpc_method="Txn"}`; of labels only the gRPC method is kept. */
export type Metrics = ReadonlyMap<string, number>;

/** Reads Prometheus' text. Series that differ only in labels that are not kept are added up. */
export function parseMetrics(text: string): Metrics {
  const metrics = new Map<string, number>();
  for (const line of text.split("\n")) {
    const found = /^([a-zA-Z_:][\w:]*)(\{.*\})? ([^ ]+)$/.exec(line);
    if (!found) continue;
    const [, name = "", labels = "", value = ""] = found;
    const method = /grpc_method="(\w+)"/.exec(labels)?.[1];
    const key = method === undefined ? name : `${name}{grpc_method="${method}"}`;
    metrics.set(key, (metrics.get(key) ?? 0) + Number(value));
  }
  return metrics;
}

/** etcd's state now. Throws when it does not answer. */
export async function metricsOf(url: string): Promise<Metrics> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot read etcd's metrics: status is ${response.status}`);
  return parseMetrics(text);
}

/** How much a counter has grown; one that did not exist before began at 0. */
export function growth(before: Metrics, after: Metrics, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
}

/** By method, calls that clients have begun, the busiest first: a stream counts once, however long it lasts. */
export function requests(before: Metrics, after: Metrics): ReadonlyMap<string, number> {
  const prefix = 'grpc_server_started_total{grpc_method="';
  const all = [...after.keys()].filter((key) => key.startsWith(prefix))
    .map((key) => [key.slice(prefix.length, -2), growth(before, after, key)] as const)
    .filter(([, count]) => count > 0);
  return new Map(all.sort(([, a], [, b]) => b - a));
}
