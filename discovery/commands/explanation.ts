// Why a container is or is not in rotation: facts in, causes and remedies out. Pure; asks nobody.
import type { Container, Instance } from "../instance.ts";
import { portName } from "../instance.ts";
import type { Reading, Rules } from "../registrator/instances_of.ts";
import { generalMetadata, isNamed, settingsOf } from "../registrator/metadata.ts";
import { isYes } from "../registrator/rejected_error.ts";
import type { Finding } from "../registrator/target.ts";
import type { LiveConfiguration } from "./edge.ts";
import type { Condition } from "./inspected.ts";
import { getsTraffic, type Row, type View } from "./view.ts";

/** Everything an explanation rests on. */
export interface Case {
  /** What was asked for. */
  readonly name: string;
  /** Undefined when Docker on this host has none of that name. */
  readonly container: Container | undefined;
  readonly condition: Condition | undefined;
  /** What the registrator makes of it, by the same function. */
  readonly reading: Reading;
  readonly rules: Pick<Rules, "host" | "networks" | "explicit">;
  readonly view: View;
  /** Its rows: what the registrator has said. */
  readonly rows: readonly Row[];
  /** What a knock found just now, by instance id. */
  readonly findings: ReadonlyMap<string, Finding>;
  /** Other ports of it that accept connections, asked when one was refused. */
  readonly openPorts: readonly number[];
  /** What nginx serves; undefined: it does not answer from here. */
  readonly live: LiveConfiguration | undefined;
  /** In ms since 1970. */
  readonly now: number;
}

/** One thing that keeps it out, or will. */
export interface Problem {
  /** As in keys, `-` for the whole container. */
  readonly port: string;
  readonly cause: string;
  readonly remedy: string;
}

export interface Explanation {
  /** Whether each of its instances gets traffic. */
  readonly inRotation: boolean;
  readonly problems: readonly Problem[];
}

/** Names every cause with its remedy. Without problems it is in rotation, or does not want to be. */
export function explain(facts: Case): Explanation {
  const problems = problemsOf(facts);
  const { rows } = facts;
  const inRotation = rows.length > 0 && rows.every(getsTraffic);
  return { inRotation, problems };
}

function problemsOf(facts: Case): readonly Problem[] {
  const { container, condition, reading, rows, name, view, rules } = facts;
  if (!container) return [absent(facts)];
  if (!container.running) return [ended(container, condition)];
  if (reading.instances.length + reading.rejections.length === 0) {
    return [uninterested(container, rules)];
  }
  if (!view.hosts.some(({ host }) => host === rules.host)) {
    return [{
      port: "-",
      cause:
        `No registrator vouches for ${rules.host}: it is not running, has not finished its first look, or cannot reach etcd.`,
      remedy: "`rollcall doctor` says which link is broken.",
    }];
  }
  const problems = reading.rejections.map(({ port, reason }) =>
    rejected(port, reason, container, rules)
  );
  for (const instance of reading.instances) {
    const row = rows.find((row) =>
      row.service === instance.service && row.instance === instance.id
    );
    const problem = row ? inState(row, instance, facts) : {
      port: portOf(instance),
      cause: "The registrator has not told of it yet.",
      remedy:
        `Ask again in a moment. If it stays so, see \`docker compose logs registrator | grep ${name}\`.`,
    };
    if (problem) problems.push(problem);
    const shared = sharedRoutes(instance, view);
    problems.push(...shared);
    if (row?.note && shared.length === 0) {
      const [cause, remedy] = sentences(row.note);
      problems.push({ port: row.port, cause, remedy });
    }
  }
  return problems;
}

function absent({ name, rows, rules }: Case): Problem {
  const elsewhere = [...new Set(rows.map(({ host }) => host))].filter((host) =>
    host !== rules.host
  );
  if (elsewhere.length > 0) {
    return {
      port: "-",
      cause: `It runs on ${elsewhere.join(", ")}, not on this host.`,
      remedy:
        `Run \`rollcall explain ${name}\` there; \`rollcall ls\` shows what its registrator says.`,
    };
  }
  return {
    port: "-",
    cause: `Docker has no container called ${name}.`,
    remedy:
      "`docker ps -a` lists what there is; Compose's are called <project>-<service>-<number>.",
  };
}

function ended({ name }: Container, condition: Condition | undefined): Problem {
  const { status = "not running", exitCode, outOfMemory, error, restarts = 0 } = condition ?? {};
  const why = [
    exitCode ? `exit code ${exitCode}` : "",
    outOfMemory ? "out of memory" : "",
    error ?? "",
    restarts > 0 ? `restarted ${restarts} times` : "",
  ].filter((text) => text !== "");
  return {
    port: "-",
    cause: `It does not run: ${status}${why.length > 0 ? ` (${why.join(", ")})` : ""}.`,
    remedy: status === "created" || exitCode === 0
      ? `docker start ${name}`
      : `docker logs --tail 20 ${name} tells why; then docker start ${name}.`,
  };
}

/** It does not want to be registered, or nobody would know at which port. */
function uninterested(container: Container, { explicit }: Case["rules"]): Problem {
  const settings = settingsOf(container);
  if (isYes(generalMetadata(settings).get("ignore"))) {
    return {
      port: "-",
      cause: "Its SERVICE_IGNORE says that it is not to be registered.",
      remedy: "Remove the label or variable, or set it to false, and create the container anew.",
    };
  }
  if (explicit && !isNamed(settings)) {
    return {
      port: "-",
      cause: "ROLLCALL_EXPLICIT is set, and it has no SERVICE_NAME.",
      remedy: "Give it a label SERVICE_NAME.",
    };
  }
  return {
    port: "-",
    cause: "It exposes no port, so nobody knows where to reach it.",
    remedy:
      'Add EXPOSE to its image, `expose: ["8080"]` to its service, or a label SERVICE_8080_NAME.',
  };
}

function rejected(
  port: string,
  reason: string,
  { name }: Container,
  { networks }: Case["rules"],
): Problem {
  const [cause, advice] = sentences(reason);
  const network = networks[0];
  if (!/on no network/.test(reason) || !network) return { port, cause, remedy: advice };
  return {
    port,
    cause,
    remedy:
      `At once: docker network connect ${network} ${name}. For good: \`networks: [${network}]\` in its compose file, with \`networks: {${network}: {external: true}}\` at its end.`,
  };
}

function inState(row: Row, instance: Instance, facts: Case): Problem | undefined {
  const { port, reason, state } = row;
  const { condition, container, openPorts } = facts;
  const name = container!.name;
  switch (state) {
    case "up":
      return weightless(row) ?? deaf(row, instance, facts) ?? unserved(row, instance, facts);
    case "paused":
      return { port, cause: "It is paused.", remedy: `docker unpause ${name}` };
    case "draining":
      return row.byHand
        ? { port, cause: sentences(reason)[0], remedy: `rollcall undrain ${name}` }
        : {
          port,
          cause: `It is leaving: ${reason}`,
          remedy:
            "Nothing, when it is meant to stop. It comes back with its next start, or when it still runs 10 s after its stop grace.",
        };
    case "rejected": {
      const [cause, remedy] = sentences(reason);
      return { port, cause, remedy };
    }
    case "starting":
    case "unhealthy":
      return instance.check.kind === "docker" || container!.health === "unhealthy"
        ? failingHealthcheck(port, name, state, condition)
        : failingProbe(row, instance, name, facts.findings.get(instance.id), openPorts);
  }
}

function weightless({ port, weight, key }: Row): Problem | undefined {
  if (key === undefined) {
    return {
      port,
      cause: "Its state is up, yet its key is not there: somebody deleted it.",
      remedy: "The registrator writes it again within seconds; `rollcall doctor` if it does not.",
    };
  }
  if (weight !== 0) return undefined;
  return { port, cause: "Its SERVICE_WEIGHT is 0.", remedy: "Give it a weight from 1 to 1000." };
}

/** After so many ms nginx should have it. */
const LATE = 2_000;

/** It stands in etcd, and nginx does not have it. */
function unserved(
  { port, address, key = "", since }: Row,
  { protocol }: Instance,
  { live, now }: Case,
): Problem | undefined {
  if (!live || address === undefined || protocol === "udp") return undefined;
  if (live.addresses.has(address)) return undefined;
  const why = live.leftOut.get(key.replace(/[^A-Za-z0-9._:/-]/g, "?"));
  if (why !== undefined) {
    return {
      port,
      cause: `nginx has left it out: ${why}.`,
      remedy: `Mend the label that it comes from; \`etcdctl get ${key}\` shows the value.`,
    };
  }
  if (now - Date.parse(since) < LATE) {
    return {
      port,
      cause: "Its key is there, and nginx is about to take it.",
      remedy: "Ask again in a moment.",
    };
  }
  return {
    port,
    cause: `Its key is there, and nginx's live configuration does not have it${
      live.newer ? ": a newer one waits to be loaded" : ""
    }.`,
    remedy:
      "`docker compose logs --tail 20 nginx` says why: check_failed, reload_failed, not_vouched or etcd_unreachable.",
  };
}

/** Its HEALTHCHECK passes inside the container, and nginx gets no answer. */
function deaf(
  { port }: Row,
  { id, address, port: number }: Instance,
  { findings, openPorts, container }: Case,
): Problem | undefined {
  const finding = findings.get(id);
  if (!finding || finding.ok || !/refused/.test(finding.detail)) return undefined;
  const problem = refused(port, address, number, container!.name, openPorts);
  return {
    ...problem,
    cause:
      `${problem.cause} Its HEALTHCHECK passes all the same, as that asks inside the container: so it is in rotation, and nginx gets no answer.`,
  };
}

function failingHealthcheck(
  port: string,
  name: string,
  state: "starting" | "unhealthy",
  condition: Condition | undefined,
): Problem {
  const { test = "", said = "", exitCode } = condition?.healthcheck ?? {};
  const last = exitCode === undefined
    ? "it has not run yet"
    : `exit code ${exitCode}${said ? `, '${said}'` : ""}`;
  return {
    port,
    cause: state === "unhealthy"
      ? `Its HEALTHCHECK fails: \`${test}\` (${last}).`
      : `Its HEALTHCHECK has not passed yet: \`${test}\` (${last}).`,
    remedy: state === "starting" && (exitCode === undefined || exitCode === 0)
      ? "Wait for it; a shorter `start_interval` or a SERVICE_CHECK_HTTP is faster."
      : `Mend the application or the check; try it with docker exec ${name} ${test}`,
  };
}

function failingProbe(
  { port, reason }: Row,
  { address, port: number, check }: Instance,
  name: string,
  finding: Finding | undefined,
  openPorts: readonly number[],
): Problem {
  const detail = finding?.detail ?? reason;
  if (finding?.ok) {
    return {
      port,
      cause: `${address}:${number} answers now: the registrator is about to see it.`,
      remedy: "Ask again in a moment.",
    };
  }
  if (/refused/.test(detail)) return refused(port, address, number, name, openPorts);
  if (/^status is /.test(detail) && check.kind === "http") {
    return {
      port,
      cause: `SERVICE_CHECK_HTTP asks for ${check.path}, and it answers: ${detail}.`,
      remedy:
        `Is it the right path? Else its log says why it is not ready: docker logs --tail 20 ${name}`,
    };
  }
  return {
    port,
    cause: `${address}:${number} does not answer: ${detail.replace(/\.$/, "")}.`,
    remedy:
      `Its log may say why: docker logs --tail 20 ${name}. A firewall between the registrator and the container looks like this too.`,
  };
}

/** What refuses is there: another port, or the right one on the loopback device. */
function refused(
  port: string,
  address: string,
  number: number,
  name: string,
  openPorts: readonly number[],
): Problem {
  if (openPorts.length > 0) {
    const [open] = openPorts;
    return {
      port,
      cause: `Wrong port: nothing listens on ${address}:${number}, but port ${
        openPorts.join(", ")
      } answers.`,
      remedy:
        `Name the right one: a label SERVICE_${open}_NAME, and SERVICE_${number}_IGNORE=true for the wrong one; or let the application listen on ${number}.`,
    };
  }
  const hex = number.toString(16).toUpperCase().padStart(4, "0");
  return {
    port,
    cause:
      `It runs, and refuses connections at ${address}:${number}: it listens on 127.0.0.1 only, or on another port, or not yet.`,
    remedy:
      `Let it listen on 0.0.0.0:${number} (often HOST=0.0.0.0, --host 0.0.0.0 or --bind 0.0.0.0). \`docker exec ${name} cat /proc/net/tcp\` shows 0100007F:${hex} where it listens on 127.0.0.1, 00000000:${hex} where it listens on every address.`,
  };
}

/** Other services that claim the same host name and path. */
function sharedRoutes(
  { service, routes, protocol, port: number }: Instance,
  { rows }: View,
): readonly Problem[] {
  const port = portName({ number, protocol });
  return routes.flatMap(({ host, path }) => {
    const others = new Set(
      rows.filter((row) =>
        row.service !== service &&
        row.routes.some((route) => route.host === host && route.path === path)
      ).map((row) => row.service!),
    );
    if (others.size === 0) return [];
    // As the edge's template and the registrator decide it.
    const first = [service, ...others].toSorted((a, b) =>
      a.toLowerCase() < b.toLowerCase() ? -1 : 1
    )[0];
    return [{
      port,
      cause: `Two services on one route: ${service} and ${[...others].join(", ")} both want ${
        host || "any host"
      }${path}; ${first} has it, as its name sorts first.`,
      remedy:
        "Give one of them another SERVICE_HOST or SERVICE_PATH; instances that belong together need the same SERVICE_NAME.",
    }];
  });
}

function portOf({ port: number, protocol, containerPort }: Instance): string {
  return portName({ number: containerPort ?? number, protocol });
}

/** A reason of ours: what is the matter, then what to do. */
function sentences(reason: string): readonly [cause: string, remedy: string] {
  const at = reason.search(/(?<=[.:)'])\s+(?=[A-Z`])/);
  return at < 0 ? [reason, ""] : [reason.slice(0, at), reason.slice(at).trim()];
}
