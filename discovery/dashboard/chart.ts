// A count over time as a small SVG that says in words what it shows. Pure; owns no data.
import { html as markup } from "hono/html";
import { SPAN } from "./history.ts";

/** One value at one moment (ms). */
export interface Point {
  readonly at: number;
  readonly value: number;
}

const WIDTH = 600;
const HEIGHT = 90;
/** Points in the picture: more than a second each would not be seen. */
const COLUMNS = 300;

/** The last ten minutes until `now`, as steps. */
export function chartHtml(title: string, points: readonly Point[], now: number): string {
  if (points.length === 0) {
    return String(markup`<figure><figcaption>${title}: not known</figcaption></figure>`);
  }
  const values = points.map(({ value }) => value);
  const most = values.reduce((a, b) => Math.max(a, b));
  const least = values.reduce((a, b) => Math.min(a, b));
  const last = shown(values.at(-1)!);
  const words = `${title}: now ${last}, in the last ten minutes from ${shown(least)} to ${
    shown(most)
  }`;
  const top = ceiling(most);
  const line = path(points, top, now);
  const begin = /^M(\d+)/.exec(line)![1];
  return String(
    markup`<figure><figcaption>${title} <b>${last}</b> <span class="of">${shown(least)} to ${
      shown(most)
    }</span></figcaption><svg viewBox="0 0 ${WIDTH} ${
      HEIGHT + 2
    }" role="img" aria-label="${words}"><path class="grid" d="M0 1H${WIDTH}M0 ${
      HEIGHT / 2
    }H${WIDTH}M0 ${HEIGHT}H${WIDTH}"/><path class="area" d="${line}V${HEIGHT}H${begin}Z"/><path class="line" d="${line}"/></svg><p class="axis" aria-hidden="true"><span>10 min ago</span><span>full height: ${
      shown(top)
    }</span><span>now</span></p></figure>`,
  );
}

/** A line that moves only where the value does, so that a quiet time is short. */
function path(points: readonly Point[], top: number, now: number): string {
  const columns = new Map<number, number>();
  for (const { at, value } of points) {
    const column = Math.floor((1 - (now - at) / SPAN) * COLUMNS);
    if (column >= 0) columns.set(Math.min(column, COLUMNS), value);
  }
  let d = "";
  let y = -1;
  for (const [column, value] of columns) {
    const x = Math.round(column * WIDTH / COLUMNS);
    const next = Math.round(HEIGHT - value / top * (HEIGHT - 1));
    if (d === "") d = `M${x} ${next}`;
    else if (next !== y) d += `H${x}V${next}`;
    y = next;
  }
  return `${d || `M${WIDTH} ${HEIGHT}`}H${WIDTH}`;
}

/** The next 1, 2 or 5 times a power of ten: the scale does not move with every value. */
function ceiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value)!;
}

function shown(value: number): string {
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}
