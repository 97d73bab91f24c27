// `rollcall doctor`: looks at every link of the chain from Docker to nginx. Owns the questions and the remedies.
import { within } from "../deadline.ts";
import { messageOf } from "../log.ts";
import { type Context, EXIT, readView } from "./context.ts";
import { styled, tableOf } from "./terminal.ts";
import { getsTraffic, type View } from "./view.ts";

/** One link of the chain. */
export interface Link {
  readonly name: string;
  /** `unknown`: it cannot be seen from here, or a link before it is broken. */
  readonly state: "ok" | "broken" | "unknown";
  readonly detail: string;
  readonly remedy?: string;
}

/** What an answer of nginx for one service was. */
export type Answer =
  | { readonly kind: "instance" }
  | { readonly kind: "none"; readonly status: number }
  | { readonly kind: "silent"; readonly error: string };

/** Where a service is asked for. */
export interface Question {
  readonly host: string;
  /** A prefix; `/` is none. */
  readonly path: string;
}

export interface Outside extends Pick<Context, "registry" | "engine" | "rules" | "now"> {
  /** When the registrator last said that it follows Docker and holds its lease, in ms; undefined: not seen from here. */
  readonly heartbeat: () => Promise<number | undefined>;
  /** Until when our certificate for etcd is good; absent where there is none. Throws when it cannot be read. */
  readonly certificate?: (() => Date) | undefined;
  /** Asks nginx for whatever is there. */
  readonly ask: (question: Question) => Promise<Answer>;
}

/** The registrator says so every 2 s; Docker calls it unhealthy after 15. */
const FRESH = 15_000;
/** How long before its end a certificate is worth a word, in ms. */
const RENEW_BEFORE = 14 * 24 * 3_600_000;

/** Exit code 1 when a link is broken. */
export async function doctor(
  { json }: { readonly json?: boolean },
  { terminal, ...outside }: Outside & Pick<Context, "terminal">,
): Promise<number> {
  const links = await examine(outside);
  if (json) terminal.write(`${JSON.stringify(links, undefined, 2)}\n`);
  else {
    const style = { ok: "green", broken: "red", unknown: "yellow" } as const;
    const rows = links.map((
      { name, state, detail },
    ) => [styled(terminal, style[state], state), name, detail]);
    terminal.write(`${tableOf(rows, { width: () => Infinity })}\n`);
    for (const { name, remedy } of links) {
      if (remedy) terminal.write(`\n${styled(terminal, "bold", name)}  ${remedy}\n`);
    }
  }
  return links.some(({ state }) => state === "broken") ? EXIT.no : EXIT.ok;
}

/** Every link, in the order in which a change passes them. Never throws. */
export async function examine(outside: Outside): Promise<readonly Link[]> {
  const docker = await dockerLink(outside);
  const events = docker.state === "ok" ? await eventsLink(outside) : skipped("events", "docker");
  const etcd = await etcdLink(outside);
  const certificate = certificateLink(outside);
  const view = etcd.state === "ok"
    ? await readView(outside.registry).catch(() => undefined)
    : undefined;
  if (!view) {
    const rest = ["voucher", "keys", "nginx"].map((name) => skipped(name, "etcd"));
    const registrator = await heartbeatLink(outside, undefined);
    return [docker, events, etcd, ...certificate, registrator, ...rest];
  }
  const host = docker.state === "ok" ? (await outside.rules()).host : undefined;
  return [
    docker,
    events,
    etcd,
    ...certificate,
    await heartbeatLink(outside, view),
    voucherLink(view, host),
    host ? await keysLink(outside, view, host) : skipped("keys", "docker"),
    ...await nginxLinks(outside, view),
  ];
}

function skipped(name: string, because: string): Link {
  return { name, state: "unknown", detail: `not looked at, as ${because} is broken` };
}

async function dockerLink({ rules }: Outside): Promise<Link> {
  try {
    const { host, networks } = await rules();
    const detail = `answers as ${host}; nginx's network is ${networks[0] ?? "not known"}`;
    return { name: "docker", state: "ok", detail };
  } catch (error) {
    return {
      name: "docker",
      state: "broken",
      detail: messageOf(error),
      remedy:
        "Does socket-proxy run, and does DOCKER_SOCKET name Docker's socket? `docker compose logs socket-proxy`",
    };
  }
}

async function eventsLink({ engine }: Outside): Promise<Link> {
  const stop = new AbortController();
  try {
    await within(5_000, undefined, async (late) => {
      late.addEventListener("abort", () => stop.abort());
      const opened = () => stop.abort();
      for await (const _ of engine.events(opened, stop.signal)) break;
      late.throwIfAborted();
    });
    return { name: "events", state: "ok", detail: "Docker lets itself be followed" };
  } catch (error) {
    return {
      name: "events",
      state: "broken",
      detail: messageOf(error),
      remedy: "socket-proxy must let /events through: `docker compose restart socket-proxy`",
    };
  }
}

/** A lease is granted and ended: that is a write, which a full or leaderless etcd refuses. */
async function etcdLink({ registry, now }: Outside): Promise<Link> {
  const start = now();
  try {
    await registry.revoke(await registry.grant(5));
    return {
      name: "etcd",
      state: "ok",
      detail: `reads and writes, ${Math.round(now() - start)} ms`,
    };
  } catch (error) {
    const message = messageOf(error);
    return {
      name: "etcd",
      state: "broken",
      detail: message,
      remedy: /PERMISSION_DENIED|certificate|handshake/i.test(message)
        ? "It does not accept our certificate, or we not its own: `./scripts/certs` makes them anew; `docker compose logs --tail 20 etcd`"
        : /space/i.test(message)
        ? "Its disk quota is full: `etcdctl compact`, `etcdctl defrag`, `etcdctl alarm disarm`. nginx serves on with the last good configuration."
        : "nginx serves on with the last good configuration. `docker compose ps etcd`, `docker compose logs --tail 20 etcd`, `docker compose up -d etcd`",
    };
  }
}

/** Nobody notices an end that comes nearer, until etcd refuses the next connection. */
function certificateLink({ certificate, now }: Outside): readonly Link[] {
  if (certificate === undefined) return [];
  const name = "certificate";
  const remedy = "`./scripts/certs` renews all of them; running parts take them up by themselves.";
  try {
    const end = certificate();
    const left = end.getTime() - now();
    const date = end.toISOString().slice(0, 10);
    if (left < 0) return [{ name, state: "broken", detail: `ended on ${date}`, remedy }];
    const soon = left < RENEW_BEFORE;
    const link: Link = { name, state: soon ? "unknown" : "ok", detail: `good until ${date}` };
    return [soon ? { ...link, remedy } : link];
  } catch (error) {
    return [{ name, state: "broken", detail: messageOf(error), remedy }];
  }
}

async function heartbeatLink({ heartbeat, now }: Outside, view: View | undefined): Promise<Link> {
  const last = await heartbeat();
  const name = "registrator";
  if (last === undefined && view && view.hosts.length > 0) {
    const detail = "cannot be seen from here: run this in its container to see more";
    return { name, state: "unknown", detail };
  }
  const age = last === undefined ? Infinity : now() - last;
  if (age < FRESH) {
    return { name, state: "ok", detail: "follows Docker's events and holds its lease" };
  }
  return {
    name,
    state: "broken",
    detail: last === undefined
      ? "has not followed Docker and held a lease yet"
      : `has not followed Docker or held its lease for ${Math.round(age / 1000)} s`,
    remedy:
      "`docker compose logs --tail 20 registrator` says what it waits for; `docker compose restart registrator` costs no request.",
  };
}

function voucherLink({ hosts }: View, host: string | undefined): Link {
  const name = "voucher";
  const mine = host === undefined ? hosts[0] : hosts.find((one) => one.host === host);
  if (!mine) {
    return {
      name,
      state: "broken",
      detail: `nobody vouches for ${host ?? "any host"}: nginx keeps what it has`,
      remedy:
        "The registrator writes it when it has seen every container once: a moment after it starts. `docker compose logs --tail 20 registrator`",
    };
  }
  if (!mine.leased) {
    return {
      name,
      state: "broken",
      detail: `the voucher of ${mine.host} hangs on no lease: somebody wrote it by hand`,
      remedy: `etcdctl del /rollcall/hosts/${mine.host}, and the registrator writes its own.`,
    };
  }
  const others = hosts.length > 1 ? `, ${hosts.length} hosts in all` : "";
  return { name, state: "ok", detail: `${mine.host} is vouched for since ${mine.since}${others}` };
}

/** What etcd tells of must run: a registrator that has fallen behind shows here. */
async function keysLink({ engine }: Outside, view: View, host: string): Promise<Link> {
  const name = "keys";
  const here = view.rows.filter((row) => row.host === host && row.containerId !== "");
  try {
    const running = new Set((await engine.list()).map(({ id }) => id));
    const ghosts = here.filter(({ containerId, state }) =>
      !running.has(containerId) && state !== "draining"
    );
    if (ghosts.length > 0) {
      const names = [...new Set(ghosts.map(({ container }) => container))].slice(0, 5).join(", ");
      return {
        name,
        state: "broken",
        detail: `etcd tells of containers that do not run: ${names}`,
        remedy: "Ask again in a moment. If they stay: `docker compose restart registrator`",
      };
    }
  } catch (error) {
    return { name, state: "broken", detail: messageOf(error), remedy: "See docker above." };
  }
  const bad = view.malformed.length;
  const lost = view.drains.filter(({ known }) => !known).length;
  return {
    name,
    state: "ok",
    detail: [
      `${here.filter(getsTraffic).length} of ${here.length} instances of ${host} in rotation`,
      ...(bad > 0 ? [`${bad} malformed, which nobody serves: \`rollcall ls\` names them`] : []),
      ...(lost > 0 ? [`${lost} drained that are not there: \`rollcall ls\` names them`] : []),
    ].join("; "),
  };
}

/** nginx must have an instance for exactly the services that have one in etcd. */
async function nginxLinks({ ask }: Outside, view: View): Promise<readonly Link[]> {
  const name = "nginx";
  const services = [
    ...new Set(
      view.rows.flatMap(({ service, port }) =>
        service === undefined || port.endsWith(":udp") ? [] : [service]
      ),
    ),
  ].slice(0, 50);
  if (services.length === 0) {
    const answer = await ask({ host: "localhost", path: "/" });
    return answer.kind === "silent" ? [silent(answer.error)] : [
      { name, state: "ok", detail: "answers; there is no service to ask for" },
    ];
  }
  const links: Link[] = [];
  let asked = 0;
  for (const service of services) {
    const question = questionFor(service, view.rows);
    if (question === undefined) continue;
    const answer = await ask(question);
    if (answer.kind === "silent") return [silent(answer.error)];
    const wanted = view.rows.some((row) => row.service === service && getsTraffic(row));
    asked++;
    if (wanted !== (answer.kind === "instance")) links.push(disagreement(service, wanted, answer));
  }
  if (links.length > 0) return links;
  return [{
    name,
    state: "ok",
    detail: `serves what stands in etcd: ${asked} of ${services.length} services asked for`,
  }];
}

/**
 * Where nginx has the service, by the rules of its templates: where its instances claim, else on
 * `<service>.localhost`. Undefined where somebody else may rightly answer for it.
 */
function questionFor(service: string, rows: View["rows"]): Question | undefined {
  const local = `${service.toLowerCase()}.localhost`;
  const [first] = rows.filter((row) => row.service === service && getsTraffic(row));
  const [route] = first?.routes ?? [];
  if (route) {
    const host = route.host === "" ? "doctor.invalid" : route.host.replace(/^\*/, "doctor");
    return { host, path: route.path };
  }
  const covered = rows.some(({ routes }) =>
    routes.some(({ host }) => host === "" || host === "*.localhost" || host === local)
  );
  return first || !covered ? { host: local, path: "/" } : undefined;
}

function disagreement(service: string, wanted: boolean, answer: Answer): Link {
  const status = answer.kind === "none" ? answer.status : undefined;
  const logs =
    "`docker compose logs --tail 30 nginx`: look for left_out, check_failed, reload_failed, etcd_unreachable.";
  if (status === 502 || status === 504) {
    return {
      name: "nginx",
      state: "broken",
      detail: `${service}: its instances give nginx no valid answer (${status})`,
      remedy: `Look into the instances: \`rollcall ls ${service}\`, and their logs.`,
    };
  }
  return {
    name: "nginx",
    state: "broken",
    detail: wanted
      ? `${service}: in rotation in etcd, and nginx has no instance of it`
      : `${service}: nobody is in rotation in etcd, and nginx still has an instance of it`,
    remedy:
      `Ask again in a moment. If it stays so, nginx does not read etcd or refuses what it reads. ${logs}`,
  };
}

function silent(error: string): Link {
  return {
    name: "nginx",
    state: "broken",
    detail: `does not answer: ${error}`,
    remedy:
      "`docker compose ps nginx`, `docker compose logs --tail 20 nginx`, `docker compose up -d nginx`",
  };
}
