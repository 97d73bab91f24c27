// `rollcall ls`: who is in rotation, who is not, and why. Owns its table and its JSON.
import { type Context, EXIT, readView } from "./context.ts";
import { ago, STATE_STYLES, styled, tableOf, type Terminal } from "./terminal.ts";
import { getsTraffic, type Row, type View } from "./view.ts";

/** How often `--watch` looks, in ms. */
const EVERY = 500;

export interface LsOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** Lists the services, or those that are named. */
export async function ls(
  services: readonly string[],
  { json, watch }: LsOptions,
  context: Context,
): Promise<number> {
  const { terminal, registry, now, wait, signal } = context;
  const draw = async () => {
    const view = only(await readView(registry), services);
    return json ? jsonOf(view, watch ? undefined : 2) : textOf(view, now(), terminal);
  };
  if (!watch) {
    terminal.write(`${await draw()}\n`);
    return EXIT.ok;
  }
  let before = "";
  while (!signal.aborted) {
    const text = await draw();
    // On a terminal the list stands still and changes; elsewhere each change is written once.
    if (terminal.interactive && !json) terminal.write(`\x1b[H\x1b[J${text}\n`);
    else if (text !== before) terminal.write(`${text}\n`);
    before = text;
    await wait(EVERY, signal);
  }
  return EXIT.ok;
}

function only(view: View, services: readonly string[]): View {
  if (services.length === 0) return view;
  return { ...view, rows: view.rows.filter(({ service }) => services.includes(service ?? "")) };
}

/** The view as JSON: `{instances, hosts, drains, malformed}`. */
export function jsonOf({ rows, hosts, drains, malformed }: View, indent?: number): string {
  const instances = rows.map(({ id: _, ...row }) => ({
    ...row,
    traffic: getsTraffic({ id: _, ...row }),
  }));
  return JSON.stringify({ instances, hosts, drains, malformed }, undefined, indent);
}

/** The view as a table, with a line for each service and whatever else somebody should know. */
export function textOf(
  view: View,
  now: number,
  terminal: Omit<Terminal, "write" | "warn">,
): string {
  const { rows, drains, malformed, hosts } = view;
  const several = new Set(rows.map(({ host }) => host)).size > 1;
  const narrow = terminal.width() < 80; // then only what says who, how and why
  const where = narrow ? [] : ["ADDRESS", "WEIGHT"];
  const head = ["SERVICE", "INSTANCE", "STATE", ...where, "SINCE", "REASON"];
  const lines = rows.map((row) => [
    row.service ?? "-",
    (several ? `${row.host}:` : "") + nameOf(row),
    styled(terminal, STATE_STYLES[row.state], row.state),
    ...narrow ? [] : [row.address ?? "-", row.weight === undefined ? "-" : String(row.weight)],
    ago(row.since, now),
    row.note ? `${row.reason} ${row.note}` : row.reason,
  ]);
  const parts: string[] = [];
  if (rows.length === 0) parts.push("No instances.");
  else {parts.push(tableOf([
      head.map((text) => styled(terminal, "bold", text)),
      ...lines,
    ], terminal));}
  const notes = [...summary(rows), ...hints(hosts, drains, malformed)];
  if (notes.length > 0) parts.push(notes.join("\n"));
  return parts.join("\n\n");
}

/** `web-2:8080`, or the container alone where its port is not the matter. */
export function nameOf({ container, port }: Pick<Row, "container" | "port">): string {
  return port === "-" ? container : `${container}:${port}`;
}

function summary(rows: readonly Row[]): readonly string[] {
  const services = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.service === undefined) continue;
    services.set(row.service, [...services.get(row.service) ?? [], row]);
  }
  return [...services].map(([service, all]) =>
    `${service}: ${all.filter(getsTraffic).length} of ${all.length} in rotation`
  );
}

function hints(
  hosts: View["hosts"],
  drains: View["drains"],
  malformed: readonly string[],
): readonly string[] {
  return [
    ...(hosts.length === 0
      ? ["No registrator vouches for its host: nginx keeps what it has. See `rollcall doctor`."]
      : []),
    ...drains.filter(({ known }) => !known).map(({ host, container }) =>
      `${container} is drained on ${host}, and there is no such container. \`rollcall undrain ${container}\` forgets it.`
    ),
    ...malformed.map((key) => `The value of ${key} is malformed, so nobody serves it.`),
  ];
}
