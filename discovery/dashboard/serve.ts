// Puts the dashboard together: sources, page and port. Decides nothing by itself.
import { within } from "../deadline.ts";
import { etcdPlaceOf } from "../etcd/etcd_place.ts";
import { HOSTS, SERVICES, STATUS } from "../keys.ts";
import type { Log } from "../log.ts";
import { z } from "zod";
import { createApp } from "./app.ts";
import { Dashboard } from "./dashboard.ts";
import { HttpEdgeSource } from "./edge_source.ts";
import { EtcdKeySource } from "./etcd_key_source.ts";
import type { DashboardSettings } from "./settings.ts";

/** What the page reads. */
export const PREFIXES: readonly string[] = [SERVICES, STATUS, HOSTS];

const health = z.object({ docker: z.boolean(), etcd: z.boolean() });

/** Serves the page until the signal fires. Throws when the port cannot be had. */
export async function serveDashboard(
  settings: DashboardSettings,
  { version, log, signal }: {
    readonly version: string;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const keys = new EtcdKeySource({ ...etcdPlaceOf(settings), prefixes: PREFIXES });
  const { registrator } = settings;
  const dashboard = new Dashboard({
    keys,
    edge: new HttpEdgeSource(settings.edge),
    registrator: registrator === undefined
      ? undefined
      : async () => health.parse(JSON.parse(await ask(`${registrator}/health`))),
    log,
  });
  const registratorMetrics = registrator === undefined
    ? undefined
    : () => ask(`${registrator}/metrics`);
  const app = createApp({ dashboard, version, registratorMetrics, signal });
  const server = Deno.serve({
    hostname: "0.0.0.0",
    port: settings.port,
    onListen: ({ port }) => log.info("dashboard listens", { version, port }),
  }, app.fetch);
  await dashboard.run(signal);
  keys.close();
  await server.shutdown();
}

function ask(url: string): Promise<string> {
  return within(2_000, undefined, async (signal) => {
    const answer = await fetch(url, { signal, redirect: "error" });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`status is ${answer.status}`);
    return text;
  });
}
