// `rollcall drain` and `undrain`: write and delete the key that takes a container out of rotation. Owns no state machine.
import { NO_LEASE } from "../etcd/registry.ts";
import { drainKey } from "../keys.ts";
import { encode } from "../registration.ts";
import { type Context, EXIT, readView, UsageError } from "./context.ts";
import { getsTraffic, matching, type Row, type View } from "./view.ts";

export interface DrainOptions {
  readonly host?: string;
  readonly reason?: string;
}

/** How long the registrator may take, in ms: it looks every 500 ms. */
const PATIENCE = 5_000;
const EVERY = 50;

/** Takes containers out of rotation; resolves when the registrator has done so. */
export async function drain(
  names: readonly string[],
  { host, reason }: DrainOptions,
  context: Context,
): Promise<number> {
  if (reason !== undefined && reason.length > 200) {
    throw new UsageError("--reason has more than 200 characters. Shorten it.");
  }
  const { registry, now, terminal } = context;
  const view = await readView(registry);
  const found = names.map((name) => find(view, name, host, false));
  const since = new Date(now()).toISOString();
  const value = encode({ since, ...(reason ? { reason } : {}) });
  const puts = new Map(found.map((one) => [drainKey(one.host, one.container), value]));
  for (const service of emptied(view, found)) {
    terminal.warn(`No other instance of ${service} is in rotation: clients get 503.\n`);
  }
  const start = now();
  await registry.apply({ puts, deletes: [] }, NO_LEASE);
  return await settle(context, found, start, {
    done: (rows) => rows.every(({ state, key }) => state === "draining" && key === undefined),
    say: "is out of rotation",
  });
}

/** Lets containers back into rotation, as soon as their checks pass. */
export async function undrain(
  names: readonly string[],
  { host }: Pick<DrainOptions, "host">,
  context: Context,
): Promise<number> {
  const { registry, now, terminal } = context;
  const view = await readView(registry);
  const found = names.map((name) => find(view, name, host, true));
  const start = now();
  const deletes = found.map((one) => drainKey(one.host, one.container));
  await registry.apply({ puts: new Map(), deletes }, NO_LEASE);
  const there = found.filter(({ known }) => known);
  for (const { container } of found.filter(({ known }) => !known)) {
    terminal.write(`${container} is forgotten: there is no such container.\n`);
  }
  return await settle(context, there, start, {
    done: (rows) => rows.every(({ byHand }) => !byHand),
    say: "is not drained any more",
  });
}

interface Found {
  readonly host: string;
  readonly container: string;
  readonly known: boolean;
}

/** The one container that is meant; throws a UsageError when there is none, or several. */
function find(view: View, text: string, host: string | undefined, drained: boolean): Found {
  const here = (one: { readonly host: string }) => host === undefined || one.host === host;
  const drains = view.drains.filter(here);
  const found = new Map<string, Found>();
  for (const { host, container } of matching(view.rows.filter(here), text)) {
    found.set(drainKey(host, container), { host, container, known: true });
  }
  if (drained) {
    for (const { host, container, known } of drains) {
      if (container === text) found.set(drainKey(host, container), { host, container, known });
    }
    for (const [key, one] of found) {
      const isDrained = drains.some((drain) => drainKey(drain.host, drain.container) === key);
      if (!isDrained && found.size > 1) found.delete(key);
      else if (!isDrained) throw new UsageError(`${one.container} is not drained by hand.`);
    }
  }
  const [one, ...more] = found.values();
  if (!one) {
    throw new UsageError(
      `There is no container '${text}'${host ? ` on ${host}` : ""}. \`rollcall ls\` lists them.`,
    );
  }
  if (more.length > 0) {
    const all = [one, ...more].map(({ host, container }) => `${container} on ${host}`);
    throw new UsageError(`'${text}' may be ${all.join(", ")}. Say which, with --host or its name.`);
  }
  return one;
}

/** The services that have nobody left in rotation. */
function emptied({ rows }: View, found: readonly Found[]): readonly string[] {
  const isFound = (row: Row) =>
    found.some(({ host, container }) => row.host === host && row.container === container);
  const services = new Set(
    rows.filter((row) => isFound(row) && getsTraffic(row)).map((row) => row.service!),
  );
  return [...services].filter((service) =>
    !rows.some((row) => row.service === service && getsTraffic(row) && !isFound(row))
  );
}

async function settle(
  { registry, now, wait, terminal, signal }: Context,
  found: readonly Found[],
  start: number,
  { done, say }: { readonly done: (rows: readonly Row[]) => boolean; readonly say: string },
): Promise<number> {
  const waiting = new Set(found);
  while (waiting.size > 0 && now() - start < PATIENCE && !signal.aborted) {
    const { rows } = await readView(registry);
    for (const one of waiting) {
      const own = rows.filter((row) => row.host === one.host && row.container === one.container);
      if (!done(own)) continue;
      waiting.delete(one);
      const [row] = own;
      const state = row && say !== "is out of rotation" ? `; it is ${row.state}` : "";
      terminal.write(`${one.container} ${say} after ${Math.round(now() - start)} ms${state}.\n`);
    }
    if (waiting.size > 0) await wait(EVERY, signal);
  }
  for (const { container, host } of waiting) {
    terminal.warn(
      `The registrator of ${host} has not acted for ${container}. The key is written: it acts as soon as it is back. See \`rollcall doctor\`.\n`,
    );
  }
  return waiting.size === 0 ? EXIT.ok : EXIT.no;
}
