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
  const { terminal, registry, edge, now, wait, signal } = context;
  // A share changes all the time: no reason for another line.
  const shared = !watch || (terminal.interactive && !json);
  const draw = async () => {
    const all = await readView(registry);
    const shares = shared ? sharesOf(all, await edge.counts().catch(() => new Map())) : undefined;
    const view = only(all, services);
    return json
      ? jsonOf(view, { indent: watch ? undefined : 2, shares })
      : textOf(view, now(), terminal, shares);
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

/** Which part of its service's last requests each row was sent, from 0 to 1; none where nothing was sent. */
type Shares = ReadonlyMap<string, number>;

function sharesOf({ rows }: View, counts: ReadonlyMap<string, number>): Shares {
  const sums = new Map<string, number>();
  const mine = ({ address }: Row) => counts.get(address ?? "") ?? 0;
  for (const row of rows) {
    sums.set(row.service ?? "", (sums.get(row.service ?? "") ?? 0) + mine(row));
  }
  return new Map(rows.flatMap((row) => {
    const sum = sums.get(row.service ?? "")!;
    return sum > 0 && row.address !== undefined ? [[row.id, mine(row) / sum] as const] : [];
  }));
}

/** The view as JSON: `{instances, hosts, drains, malformed}`. */
export function jsonOf(
  { rows, hosts, drains, malformed }: View,
  { indent, shares }: { indent?: number | undefined; shares?: Shares | undefined } = {},
): string {
  const instances = rows.map(({ id, ...row }) => ({
    ...row,
    traffic: getsTraffic({ id, ...row }),
    share: shares?.get(id),
  }));
  return JSON.stringify({ instances, hosts, drains, malformed }, undefined, indent);
}

/** The view as a table, with a line for each service and whatever else somebody should know. */
export function textOf(
  view: View,
  now: number,
  terminal: Omit<Terminal, "write" | "warn">,
  shares: Shares = new Map(),
): string {
  const { rows, drains, malformed, hosts } = view;
  const several = new Set(rows.map(({ host }) => host)).size > 1;
  const narrow = terminal.width() < 80; // then only what says who, how and why
  const share = !narrow && shares.size > 0; // nginx does not answer, or nobody has asked it anything
  const where = narrow ? [] : ["ADDRESS", "WEIGHT", ...share ? ["SHARE"] : []];
  const head = ["SERVICE", "INSTANCE", "STATE", ...where, "SINCE", "REASON"];
  const lines = rows.map((row) => [
    row.service ?? "-",
    (several ? `${row.host}:` : "") + nameOf(row),
    styled(terminal, STATE_STYLES[row.state], row.state),
    ...narrow ? [] : [row.address ?? "-", row.weight === undefined ? "-" : String(row.weight)],
    ...share ? [shares.has(row.id) ? `${Math.round(shares.get(row.id)! * 100)} %` : "-"] : [],
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
