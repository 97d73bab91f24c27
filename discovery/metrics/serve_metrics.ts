// Answers /metrics and /health at the address where etcd sees this process: so on etcd's network and on no other.
// In nobody's way: without a port, an address or etcd it says so once and tries again.
import type { Log } from "../log.ts";
import { messageOf } from "../log.ts";
import { within } from "../deadline.ts";
import { CONTENT_TYPE } from "./exposition.ts";

/** What it needs from outside. Times in ms. */
export interface MetricsServer {
  readonly port: number;
  /** etcd's, as in `http://etcd:2379`. */
  readonly endpoints: readonly string[];
  readonly metrics: () => string;
  readonly health: () => Readonly<Record<string, boolean>>;
  readonly log: Log;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Our address on the way to a host and port; throws when that does not answer. */
  readonly addressTowards?: (hostname: string, port: number) => Promise<string>;
}

/** How soon it tries again, in ms; and how often it looks whether the address is still the same. */
const RETRY = 5_000;
const LOOK = 60_000;

/** Serves until the signal fires; never throws. */
export async function serveMetrics(options: MetricsServer, signal: AbortSignal): Promise<void> {
  const { port, log, wait } = options;
  let server: { readonly address: string; readonly http: Deno.HttpServer } | undefined;
  let said = "";
  while (!signal.aborted) {
    try {
      const address = await towardsAny(options);
      if (address !== server?.address) {
        await server?.http.shutdown();
        server = undefined;
        const http = Deno.serve(
          { hostname: address, port, onListen: () => {}, onError: () => failed() },
          (request) => answer(request, options),
        );
        server = { address, http };
        log.info("metrics served", { address, port: (http.addr as Deno.NetAddr).port });
      }
      said = "";
    } catch (error) {
      const message = messageOf(error);
      // etcd may be away for long, and others say that.
      if (message !== said && !server) log.warn("no metrics", { error: message, effect: "none" });
      said = message;
    }
    await wait(server ? LOOK : RETRY, signal);
  }
  await server?.http.shutdown();
}

function answer(request: Request, { metrics, health }: MetricsServer): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET.\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  switch (new URL(request.url).pathname) {
    case "/metrics":
      return new Response(metrics(), { headers: { "content-type": CONTENT_TYPE } });
    case "/health":
      return Response.json(health());
    default:
      return new Response("There are /metrics and /health.\n", { status: 404 });
  }
}

function failed(): Response {
  return new Response("Cannot tell.\n", { status: 500 });
}

async function towardsAny(
  { endpoints, addressTowards = connect }: MetricsServer,
): Promise<string> {
  let last: unknown;
  for (const endpoint of endpoints) {
    const { hostname, port, protocol } = new URL(endpoint);
    const number = Number(port || (protocol === "https:" ? 443 : 80));
    try {
      return await addressTowards(hostname.replace(/^\[|\]$/g, ""), number);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function connect(hostname: string, port: number): Promise<string> {
  return within(2_000, undefined, async (signal) => {
    const connection = await Deno.connect({ hostname, port, signal });
    const { hostname: address } = connection.localAddr as Deno.NetAddr;
    connection.close();
    return address;
  });
}
