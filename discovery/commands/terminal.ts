// Where a command writes to: colours, width, tables. Owns no content.
import { stripVTControlCharacters, styleText } from "node:util";
import { getBorderCharacters, table } from "table";
import type { State } from "../instance.ts";

/** A place to write to. */
export interface Terminal {
  readonly write: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Whether somebody looks at it, and it can be drawn anew. */
  readonly interactive: boolean;
  readonly colours: boolean;
  /** In columns; Infinity where lines may be as long as they like. */
  readonly width: () => number;
}

export type Style = "green" | "yellow" | "red" | "bold" | "dim" | "cyan";

/** The text in a style, where colours are wanted. */
export function styled(terminal: Pick<Terminal, "colours">, style: Style, text: string): string {
  return terminal.colours ? styleText(style, text, { validateStream: false }) : text;
}

/** Green gets traffic, yellow may soon or for a while, red needs somebody. */
export const STATE_STYLES: Readonly<Record<State, Style>> = {
  up: "green",
  starting: "yellow",
  draining: "yellow",
  paused: "yellow",
  unhealthy: "red",
  rejected: "red",
};

/** How narrow the columns become, one after the other: the last one first, as it has the sentences. */
const FLOORS = [{ last: 24, other: Infinity }, { last: 24, other: 8 }, { last: 4, other: 4 }];
const GAP = 2;

/**
 * A table without lines. Where it is wider than the terminal its columns are cut, the last one
 * first; where nobody looks nothing is cut.
 */
export function tableOf(
  rows: ReadonlyArray<readonly string[]>,
  { width }: Pick<Terminal, "width">,
): string {
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from(
    { length: count },
    (_, i) => Math.max(1, ...rows.map((row) => lengthOf(row[i] ?? ""))),
  );
  let over = widths.reduce((sum, width) => sum + width + GAP, -GAP) - width();
  const last = widths.length - 1;
  for (const { last: least, other } of FLOORS) {
    for (const i of [last, ...widths.keys()]) {
      const cut = Math.min(over, widths[i]! - (i === last ? least : other));
      if (cut <= 0) continue;
      widths[i]! -= cut;
      over -= cut;
    }
  }
  return table(rows.map((row) => widths.map((_, i) => row[i] ?? "")), {
    border: getBorderCharacters("void"),
    drawHorizontalLine: () => false,
    columnDefault: { paddingLeft: 0, paddingRight: GAP },
    columns: widths.map((width) => ({ width, truncate: width })),
  }).split("\n").map((line) => line.trimEnd()).join("\n").trimEnd();
}

function lengthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** How long ago, in two words at most: `41s`, `3m`, `2h`, `5d`. */
export function ago(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  if (Number.isNaN(seconds)) return "?";
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
