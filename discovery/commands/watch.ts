// `rollcall watch`: a line for every change, as it happens. Owns the looking and the lines, not what a change is.
import { messageOf } from "../log.ts";
import { Awaiting } from "./awaiting.ts";
import { type Context, EXIT, readEntries } from "./context.ts";
import { nameOf } from "./ls.ts";
import { STATE_STYLES, styled, type Terminal } from "./terminal.ts";
import { type Change, Timeline } from "./timeline.ts";
import { viewOf } from "./view.ts";

export interface WatchOptions {
  readonly json?: boolean;
}

/** How often etcd is looked at, in ms: `in etcd` is up to this much late. */
const EVERY = 50;
/** How long until Docker is asked again, in ms. */
const RETRY = 1_000;

/** Follows Docker's events and etcd until the signal fires; says once when one of them is away. */
export async function watch({ json }: WatchOptions, context: Context): Promise<number> {
  const { registry, edge, terminal, now, wait, signal } = context;
  const { host } = await context.rules();
  const timeline = new Timeline(host);
  const first = viewOf(await readEntries(registry));
  timeline.saw(first, now());
  const say = once(terminal);
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const following = follow(timeline, context, say, open);
  await Promise.race([opened, wait(RETRY, signal)]);
  terminal.warn(
    `Following ${first.rows.length} instances; times run from Docker's event. Ctrl-C ends it.\n`,
  );
  const awaiting = new Awaiting();
  const tell = (change: Change) =>
    terminal.write(`${json ? jsonOf(change) : lineOf(change, terminal)}\n`);
  while (!signal.aborted) {
    await wait(EVERY, signal);
    if (signal.aborted) break;
    try {
      const view = viewOf(await readEntries(registry));
      say("etcd", undefined);
      for (const change of timeline.saw(view, now())) {
        if (change.address === undefined) tell(change);
        else awaiting.add(change);
      }
    } catch (error) {
      say("etcd", messageOf(error));
    }
    if (!awaiting.any) continue;
    const live = await edge.live().then((live) => {
      say("nginx", undefined);
      return live;
    }, (error) => say("nginx", messageOf(error)));
    for (const change of awaiting.settle(live ?? undefined, now())) tell(change);
  }
  await following;
  return EXIT.ok;
}

async function follow(
  timeline: Timeline,
  { engine, wait, signal }: Context,
  say: (what: string, problem: string | undefined) => void,
  open: () => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const opened = () => {
        say("Docker", undefined);
        open();
      };
      for await (const event of engine.events(opened, signal)) timeline.heard(event);
    } catch (error) {
      say("Docker", messageOf(error));
      await wait(RETRY, signal);
    }
  }
}

/** Says once that something is away, and once that it is back. */
function once(
  { warn }: Pick<Terminal, "warn">,
): (what: string, problem: string | undefined) => void {
  const away = new Set<string>();
  return (what, problem) => {
    if (problem !== undefined && !away.has(what)) warn(`${what} does not answer: ${problem}\n`);
    if (problem === undefined && away.has(what)) warn(`${what} answers again.\n`);
    if (problem === undefined) away.delete(what);
    else away.add(what);
  };
}

/** One line of JSON. */
export function jsonOf({ id, at, row, from, to, traffic, steps, generation }: Change): string {
  const { host, container, port, service, instance, address, weight, reason, since } = row;
  return JSON.stringify({
    ...{
      time: new Date(at).toISOString(),
      change: id,
      generation: generation?.slice(0, 12),
      service,
      instance,
      host,
      container,
      port,
    },
    ...{ from, to, traffic, steps, since, address, weight, reason },
  });
}

/** `12:00:01.123 + service web-3:8080 up  start, decided +412 ms, in etcd +431 ms, live +502 ms  GET … answers.` */
export function lineOf(
  { at, row, to, traffic, steps }: Change,
  terminal: Pick<Terminal, "colours" | "width">,
): string {
  const sign = { in: "+", out: "-", same: "~" }[traffic];
  const style = to === "gone" ? "dim" : STATE_STYLES[to];
  const way = steps.map(({ name, after }, i) => i === 0 ? name : `${name} +${after} ms`).join(", ");
  const reason = to === "gone" ? "" : row.reason;
  const plain = [
    `${new Date(at).toISOString().slice(11, 23)} ${sign}`,
    row.service ?? "-",
    nameOf(row),
    to,
    ...[way, reason].filter((text) => text !== ""),
  ].join("  ");
  const width = terminal.width();
  const cut = plain.length > width ? `${plain.slice(0, width - 1)}…` : plain;
  return cut.replace(`  ${to}`, `  ${styled(terminal, style, to)}`);
}
