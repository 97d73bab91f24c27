// The HTTP interface: routes and what every answer has in common. Does not listen, and reads
// neither environment nor clock of its own, so that tests call `app.request()`.

import { Hono } from "hono";
import { accepts } from "hono/accepts";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId, type RequestIdVariables } from "hono/request-id";
import { NONCE, secureHeaders, type SecureHeadersVariables } from "hono/secure-headers";
import { account } from "./account.ts";
import { echo } from "./echo.ts";
import type { AppDependencies } from "./dependencies.ts";
import { errorFields } from "./log.ts";
import { page, type Status } from "./page.ts";
import { problem } from "./problem.ts";
import { slow } from "./slow.ts";

type Variables = RequestIdVariables & SecureHeadersVariables;

/** Builds the app of one instance; its uptime counts from here. */
export function createApp(dependencies: AppDependencies): Hono<{ Variables: Variables }> {
  const { config, version, lifecycle, metrics, clock, log } = dependencies;
  const startedAt = clock.now();
  const app = new Hono<{ Variables: Variables }>();

  app.use(requestId({ limitLength: 128 }));
  app.use(account({ config, lifecycle, metrics, clock, log }));
  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: [NONCE],
      imgSrc: ["data:"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: "DENY",
    // Plain HTTP behind a proxy: whether there is TLS in front is the proxy's to know and to say.
    strictTransportSecurity: false,
    // Off, as no browser of today needs them.
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  }));
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      const allow = methods.join(", ");
      const detail = `${c.req.path} takes ${allow}.`;
      return problem(c, 405, { detail, headers: { Allow: allow } });
    },
  }));

  app.get("/", (c) => {
    const status: Status = {
      instance: config.instance,
      version,
      uptime: Math.round(clock.now() - startedAt) / 1000,
      requests: metrics.served,
    };
    c.header("Vary", "Accept");
    const json = "application/json";
    const type = accepts(c, { header: "Accept", supports: [json, "text/html"], default: json });
    return type === json ? c.json(status) : c.html(page(status, c.get("secureHeadersNonce") ?? ""));
  });

  app.get("/version", (c) => c.json({ version, deno: Deno.version.deno }));

  // Alive is who can answer at all; ready is who wants new requests. Only the latter ends on SIGTERM.
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", (c) => {
    const { phase } = lifecycle;
    if (phase === "ready") return c.json({ status: phase });
    return problem(c, 503, { detail: `This instance takes no new requests: it is ${phase}.` });
  });

  app.get("/metrics", async (c) => {
    const text = await metrics.text();
    return c.body(text, 200, { "Content-Type": metrics.contentType });
  });

  app.post("/echo", (c) => echo(c, config.maxBodyBytes));
  app.get("/slow", (c) => slow(c, config.maxSlowMs, clock));

  app.notFound((c) => problem(c, 404, { detail: `There is nothing at ${c.req.path}.` }));
  app.onError((error, c) => {
    log("error", "handler failed", {
      instance: config.instance,
      requestId: c.get("requestId"),
      path: c.req.path,
      ...errorFields(error),
    });
    // What failed is for the log; clients get the id to ask for it.
    return problem(c, 500, { detail: "This is our fault. The log has more under the request id." });
  });
  return app;
}
