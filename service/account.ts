// What every request and answer goes through, whatever the route: counting, logging, the headers
// that name the instance and end connections. Knows no route's business.

import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { AppDependencies } from "./dependencies.ts";
import { discardBody } from "./body.ts";

/** How much of an unwanted body is read to keep its connection; beyond it the connection closes. */
const discardBytes = 8 * 1024 * 1024;

const notOfUsers = new Set(["/healthz", "/readyz", "/metrics"]);

/** Wraps a request from its arrival until its answer is complete. */
export function account(
  { config, lifecycle, metrics, clock, log }: Omit<AppDependencies, "version">,
): MiddlewareHandler {
  return async (c, next) => {
    const arrived = clock.now();
    metrics.begin(!notOfUsers.has(c.req.path));
    let status = 500;
    c.header("X-Instance", config.instance);
    c.header("Cache-Control", "no-store"); // Each answer is about this moment and this instance.
    try {
      await next();
      status = c.res.status;
      await finish(c);
    } finally {
      const ms = clock.now() - arrived;
      metrics.end({ method: c.req.method, route: routeOf(c), status }, ms / 1000);
      if (config.accessLog) {
        log("info", "request", {
          instance: config.instance,
          requestId: c.get("requestId"),
          method: c.req.method,
          path: c.req.path, // Without the query: people put secrets there.
          status,
          ms: Math.round(ms * 1000) / 1000,
        });
      }
    }
  };

  async function finish(c: Context) {
    // `c.res.headers`, not `c.header()`: that would wrap the answer anew, and send it in chunks.
    const reusable = await discardBody(c.req.raw, discardBytes);
    // Asked as late as possible: a request that was waiting at SIGTERM must end its connection too.
    if (lifecycle.leaving || !reusable) c.res.headers.set("Connection", "close");
    // Hono drops the body of an answer to HEAD, and Deno would then announce a length of 0.
    if (c.req.method === "HEAD") {
      const body = await c.res.clone().arrayBuffer();
      c.res.headers.set("Content-Length", String(body.byteLength));
    }
  }
}

/** The route's pattern, not the path: a metric per path would grow with what clients make up. */
function routeOf(c: Context): string {
  const path = matchedRoutes(c).at(-1)?.path ?? "/*";
  return path.endsWith("*") ? "none" : path;
}
