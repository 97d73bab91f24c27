// The page's HTTP interface: routes, headers, and the stream of events. Does not listen, and knows nothing by itself.
import { Hono } from "hono";
import { compress } from "hono/compress";
import { secureHeaders } from "hono/secure-headers";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { delay } from "../delay.ts";
import { messageOf } from "../log.ts";
import { CONTENT_TYPE } from "../metrics/exposition.ts";
import type { Dashboard } from "./dashboard.ts";
import { pageHtml } from "./page.ts";

/** What the app needs from outside. */
export interface AppOptions {
  readonly dashboard: Pick<
    Dashboard,
    "feed" | "watch" | "watched" | "next" | "seconds" | "metrics"
  >;
  readonly version: string;
  /** The registrator's own metrics, which only its network can read; throws when it does not answer. */
  readonly registratorMetrics?: (() => Promise<string>) | undefined;
  /** When it fires, streams end. */
  readonly signal: AbortSignal;
}

/** Browsers at once; a stream costs a connection and a little memory. */
const WATCHERS = 50;
/** Changes that come closer than that, in ms, go to a browser together. */
const TOGETHER = 250;

/** Files that go to the browser as they are. */
const FILES: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  "/style.css": { type: "text/css; charset=utf-8", text: read("style.css") },
  "/client.js": { type: "text/javascript; charset=utf-8", text: read("client.js") },
};

/** Builds the app. */
export function createApp(
  { dashboard, version, registratorMetrics, signal }: AppOptions,
): Hono {
  const app = new Hono();
  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["data:"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: "DENY",
    strictTransportSecurity: false, // plain HTTP on this machine
  }));
  // A page of another site may have its own name point here, and would then read this one as its own.
  app.use(async (c, next) => {
    const { hostname, pathname } = new URL(c.req.url);
    if (isThisMachine(hostname)) return await next();
    if (pathname.startsWith("/metrics") && isNobodysDomain(hostname)) return await next();
    return c.text("This page answers on localhost only.\n", 403);
  });
  app.use(compress());
  app.use(async (c, next) => {
    await next();
    c.res.headers.set("Cache-Control", "no-store");
  });

  app.get("/", (c) => c.html(pageHtml({ ...dashboard.feed.page(), version })));
  for (const [path, { type, text }] of Object.entries(FILES)) {
    app.get(path, (c) => c.body(text, 200, { "Content-Type": type }));
  }
  app.get(
    "/metrics",
    async (c) => c.body(await dashboard.metrics(), 200, { "Content-Type": CONTENT_TYPE }),
  );
  app.get("/metrics/registrator", async (c) => {
    try {
      if (!registratorMetrics) throw new Error("ROLLCALL_REGISTRATOR is off");
      return c.body(await registratorMetrics(), 200, { "Content-Type": CONTENT_TYPE });
    } catch (error) {
      return c.text(`Cannot ask the registrator: ${messageOf(error)}\n`, 502);
    }
  });
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/events", (c) => {
    if (dashboard.watched >= WATCHERS) {
      return c.text(`There are ${WATCHERS} browsers already.\n`, 503, { "Retry-After": "5" });
    }
    const cursor = c.req.header("Last-Event-ID") ?? c.req.query("since") ?? "";
    return streamSSE(c, (stream) => follow(stream, cursor));
  });

  async function follow(stream: SSEStreamingApi, cursor: string): Promise<void> {
    const leave = dashboard.watch();
    let second = -1;
    try {
      while (!stream.aborted && !signal.aborted) {
        const next = dashboard.next(); // before looking: what happens meanwhile is not missed
        const update = dashboard.feed.since(cursor);
        if (update) {
          cursor = update.cursor;
          await stream.writeSSE({ event: "change", id: cursor, data: JSON.stringify(update) });
        }
        if (second !== dashboard.seconds) {
          second = dashboard.seconds;
          const data = JSON.stringify(dashboard.feed.ratesNow());
          await stream.writeSSE({ event: "rates", data });
        }
        await next;
        if (!signal.aborted) await delay(TOGETHER);
      }
    } finally {
      leave();
    }
  }
  return app;
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** An address, or a name on a network of Docker's, as Prometheus asks: no other site can have such a name. */
function isNobodysDomain(hostname: string): boolean {
  return /^([^.]+|\d+(\.\d+){3})$/.test(hostname);
}

function read(name: string): string {
  return Deno.readTextFileSync(new URL(`static/${name}`, import.meta.url));
}
