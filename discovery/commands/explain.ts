// `rollcall explain`: gathers what is known of one container, knocks on it, and tells. Owns the telling.
import { portName } from "../instance.ts";
import { type Container, type Instance } from "../instance.ts";
import { instancesOf } from "../registrator/instances_of.ts";
import { probe } from "../registrator/probe.ts";
import type { Finding, Target } from "../registrator/target.ts";
import { type Context, EXIT, readView } from "./context.ts";
import { type Case, explain, type Explanation } from "./explanation.ts";
import type { LiveConfiguration } from "./edge.ts";
import type { Condition } from "./inspected.ts";
import { ago, STATE_STYLES, styled, tableOf, type Terminal } from "./terminal.ts";
import { getsTraffic, matching, type Row } from "./view.ts";

export interface ExplainOptions {
  readonly json?: boolean;
}

/** Where web servers listen when nobody says otherwise: asked when the port that was said refuses. */
const USUAL_PORTS = [80, 3000, 4000, 5000, 5173, 8000, 8080, 8081, 8888, 9000];
/** For one knock, in ms. */
const KNOCK = 500;

/** Exit code 0: each of its instances gets traffic, and nothing is wrong with any. */
export async function explainContainer(
  name: string,
  { json }: ExplainOptions,
  context: Context & { readonly condition: (id: string) => Promise<Condition | undefined> },
): Promise<number> {
  const { registry, engine, edge, terminal, now } = context;
  const rules = await context.rules();
  const view = await readView(registry);
  const known = matching(view.rows, name);
  const here = known.find(({ host, containerId }) => host === rules.host && containerId !== "");
  const container = await engine.inspect(here?.containerId ?? name);
  const condition = container && await context.condition(container.id);
  const rows = container
    ? view.rows.filter(({ containerId }) => containerId === container.id)
    : known;
  const reading = container?.running
    ? instancesOf(container, rules)
    : { instances: [], rejections: [] };
  const knocked = container?.running
    ? await knock(
      container,
      reading.instances,
      new Set(rows.filter(getsTraffic).map((row) => row.instance)),
    )
    : { findings: new Map<string, Finding>(), openPorts: [] };
  const live = await edge.live().catch(() => undefined);
  const seen = { reading, rules, view, rows, live, now: now() };
  const facts: Case = { name, container, condition, ...seen, ...knocked };
  const explanation = explain(facts);
  terminal.write(
    `${json ? jsonOf(facts, explanation) : textOf(facts, explanation, now(), terminal)}\n`,
  );
  return explanation.inRotation && explanation.problems.length === 0 ? EXIT.ok : EXIT.no;
}

/** Knocks on what is not in rotation, and where it refuses, on other ports of the container. */
async function knock(
  container: Container,
  instances: readonly Instance[],
  inRotation: ReadonlySet<string | undefined>,
): Promise<Pick<Case, "findings" | "openPorts">> {
  const findings = new Map<string, Finding>();
  let openPorts: readonly number[] = [];
  if (container.paused) return { findings, openPorts };
  for (const instance of instances) {
    const { address, port, protocol } = instance;
    const tcp = { kind: "tcp", interval: 0, timeout: KNOCK } as const;
    // A HEALTHCHECK runs inside the container: it may pass where nobody else gets an answer.
    const byDocker = instance.check.kind === "docker" && protocol === "tcp";
    const check = byDocker ? tcp : instance.check;
    if (check.kind !== "tcp" && check.kind !== "http") continue;
    if (inRotation.has(instance.id) && !byDocker) continue;
    const finding = await probe(target(container, address, port, check), neverAborts);
    findings.set(instance.id, finding);
    const own = container.networks.some((network) => network.address === address);
    if (finding.ok || !own || !/refused/.test(finding.detail)) continue;
    const exposed = container.exposed.map(({ number }) => number);
    const others = [...new Set([...exposed, ...USUAL_PORTS])].filter((other) => other !== port);
    const answers = await Promise.all(
      others.slice(0, 64).map(async (other) =>
        (await probe(target(container, address, other, tcp), neverAborts)).ok ? [other] : []
      ),
    );
    openPorts = answers.flat();
  }
  return { findings, openPorts };
}

const neverAborts = new AbortController().signal;

function target(
  { id: containerId }: Container,
  address: string,
  port: number,
  check: Target["check"],
): Target {
  return { name: "explain", containerId, portName: String(port), address, port, check };
}

function jsonOf(
  { name, container, rows, reading, live }: Case,
  { inRotation, problems }: Explanation,
): string {
  const instances = rows.map(({ id: _, ...row }) => ({ ...row, live: isLive(row, live) }));
  const { instances: expected, rejections } = reading;
  const found = { container: container?.name ?? name, inRotation, problems };
  return JSON.stringify({ ...found, instances, expected, rejections }, undefined, 2);
}

/** What is known, line by line, then each cause with its remedy. */
export function textOf(
  facts: Case,
  { inRotation, problems }: Explanation,
  now: number,
  terminal: Pick<Terminal, "colours" | "width">,
): string {
  const { name, container, rows } = facts;
  const some = rows.some(getsTraffic);
  const verdict = inRotation
    ? styled(terminal, "green", "is in rotation")
    : some
    ? styled(terminal, "yellow", "is in rotation in part")
    : styled(terminal, "red", "is not in rotation");
  const lines = [`${styled(terminal, "bold", container?.name ?? name)} ${verdict}.`];
  const known = factsOf(facts, now, terminal);
  if (known.length > 0) {
    lines.push(
      "",
      tableOf(known.map(([label, text]) => [`  ${label}`, text]), { width: () => Infinity }),
    );
  }
  for (const { port, cause, remedy } of problems) {
    const where = port === "-" || rows.length < 2 ? "" : `Port ${port}: `;
    lines.push("", `${styled(terminal, "bold", "Why")}  ${where}${cause}`);
    if (remedy) lines.push(`${styled(terminal, "bold", "Do")}   ${remedy}`);
  }
  return lines.join("\n");
}

function factsOf(
  { container, condition, reading, rows, rules, findings, live }: Case,
  now: number,
  terminal: Pick<Terminal, "colours">,
): ReadonlyArray<readonly [string, string]> {
  const facts: Array<readonly [string, string]> = [];
  if (container) {
    const { image, health, startedAt, networks } = container;
    const state = container.running
      ? `${container.paused ? "paused" : "running"} since ${ago(startedAt, now)}`
      : condition?.status ?? "not running";
    facts.push([
      "container",
      `${state}, image ${image}, ${health === "none" ? "no HEALTHCHECK" : `HEALTHCHECK ${health}`}`,
    ]);
    facts.push(["labels", settingsIn(container) || "no SERVICE_* among labels and variables"]);
    facts.push([
      "networks",
      networks.map(({ name, address }) =>
        `${name} ${address || "(no address)"}${
          rules.networks.includes(name) ? ", shared with nginx" : ""
        }`
      ).join("; ") || "none",
    ]);
  }
  for (const instance of reading.instances) {
    const { service, address, port, protocol, check } = instance;
    const finding = findings.get(instance.id);
    const admitted = check.kind === "http"
      ? `GET ${check.path}`
      : check.kind === "tcp"
      ? "a TCP connect"
      : check.kind === "docker"
      ? "its HEALTHCHECK"
      : "running";
    facts.push([
      `port ${portName({ number: instance.containerPort ?? port, protocol })}`,
      [
        `service ${service} at ${address}:${port}, admitted by ${admitted}`,
        ...(finding ? [`asked now: ${finding.detail}`] : []),
      ].join("; "),
    ]);
  }
  for (const row of rows) {
    const { state, reason, since, port, key, note } = row;
    const what = styled(terminal, STATE_STYLES[state], state);
    facts.push([`status ${port}`, `${what} for ${ago(since, now)}: ${reason}`]);
    if (note) facts.push(["note", note]);
    facts.push(["key", key ?? "none"]);
    if (row.address !== undefined) facts.push(["nginx", nginxOf(row, live, now)]);
  }
  return facts;
}

/** Whether nginx serves it; undefined where that is not known. */
function isLive(
  { address }: Pick<Row, "address">,
  live: LiveConfiguration | undefined,
): boolean | undefined {
  return live && address !== undefined ? live.addresses.has(address) : undefined;
}

function nginxOf(row: Row, live: LiveConfiguration | undefined, now: number): string {
  if (!live) return "does not answer from here: --edge names its status listener";
  const { generation, at } = live;
  const since = at > 0 ? `, live for ${ago(new Date(at).toISOString(), now)}` : "";
  return `${isLive(row, live) ? "has" : "does not have"} ${row.address} in its configuration ${
    generation.slice(0, 12)
  }${since}`;
}

function settingsIn({ labels, env }: Container): string {
  const own = (all: Readonly<Record<string, string>>) =>
    Object.entries(all).filter(([name]) => name.startsWith("SERVICE_"));
  return [...own(labels), ...own(env).filter(([name]) => !Object.hasOwn(labels, name))]
    .map(([name, value]) => `${name}=${value.slice(0, 80).replace(/[\p{C}]/gu, "?")}`).join(" ");
}
