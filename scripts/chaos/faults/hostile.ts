// What somebody writes who means harm, or does not know better: keys, and labels of containers. Brings none of it.

/** A registration as the registrator writes it. Its address is nobody's: connections are refused there at once. */
function registration(address: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    ...{ address, port: 1, protocol: "tcp", weight: 1, tags: [], attrs: {}, host: "elsewhere" },
    ...{ container: "stranger", image: "stranger", routes: [], balance: "round_robin" },
    since: "2026-11-23T03:00:00.000Z",
    ...more,
  });
}

/** Well-formed keys of another host's services, many of them. */
export function junkKeys(count: number, address: string): ReadonlyMap<string, string> {
  const value = registration(address);
  return new Map(
    Array.from({ length: count }, (_, i) => [
      `/services/junk-${i % 10}/elsewhere:junk-${i}:1`,
      value,
    ]),
  );
}

const evil = (id: string) => `/services/service/elsewhere:evil-${id}:1`;

/** Keys that the edge must leave out one by one, and one of another host that nobody answers for. */
export function hostileKeys(address: string): ReadonlyMap<string, string> {
  const route = (host: string, path: string) =>
    registration(address, { routes: [{ host, path, strip: false }] });
  return new Map([
    // Foreign, well-formed, and nobody listens there: it is tried, and another one instead.
    [evil("dead"), registration(address)],
    [evil("no-json"), "{"],
    [evil("empty"), ""],
    [evil("list"), "[1,2,3]"],
    [evil("address"), registration("127.0.0.1; } server { listen 81; } #")],
    [evil("name"), registration("evil.example.org")],
    [evil("port"), registration(address, { port: 99999 })],
    [evil("weight"), registration(address, { weight: -1 })],
    [evil("balance"), registration(address, { balance: "hash:header:$(reboot)" })],
    [evil("path"), route("a.example.org", "/x { return 200; } #")],
    [evil("host"), route("a.example.org; include /etc/passwd", "/")],
    [evil("long"), route(`${"a.".repeat(2_000)}org`, "/")],
    [evil("big"), registration(address, { tags: ["x".repeat(200_000)] })],
    [evil("template"), registration(address, { routes: '{{ getenv "PATH" }}' })],
    ["/services/a..b/elsewhere:evil:1", registration(address)],
    ["/services/SERVICE/elsewhere:evil:1", registration(address)],
    ["/services/service/too/deep", registration(address)],
    ["/services//elsewhere:evil:1", registration(address)],
    ["/services/evil\nservice/elsewhere:evil:1", registration(address)],
  ]);
}

/** Labels that are wrong, each set for a container of its own. None of them claims what others have. */
export const HOSTILE_LABELS: readonly Readonly<Record<string, string>>[] = [
  { SERVICE_NAME: "; } server { listen 81; } #" },
  { SERVICE_NAME: "evil", SERVICE_HOST: "a.example.org; include /etc/passwd" },
  { SERVICE_NAME: "evil", SERVICE_PATH: "/x { return 200; } #" },
  { SERVICE_NAME: "evil", SERVICE_WEIGHT: "-1" },
  { SERVICE_NAME: "evil", SERVICE_CHECK_HTTP: "/\r\nHost: evil" },
  { SERVICE_NAME: "evil", SERVICE_CHECK_HTTP: "/readyz", SERVICE_CHECK_INTERVAL: "1e9" },
  { SERVICE_NAME: "evil", SERVICE_ID: "../../rollcall/hosts/evil" },
  { SERVICE_NAME: "evil", SERVICE_TAGS: ",".repeat(4_000) },
  { SERVICE_99999_NAME: "evil", SERVICE___PROTO___NAME: "evil" },
  { SERVICE_NAME: "evil", SERVICE_NETWORK: "host" },
  { SERVICE_NAME: "evil", SERVICE_BALANCE: "hash:header:$(reboot)" },
  { SERVICE_NAME: "a..b" },
];
