// A table for a terminal. Knows nothing of what stands in it.

/** Columns as wide as their widest cell; the first one to the left, numbers to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  const line = (row: readonly string[]) =>
    widths.map((wide, column) => pad(row[column] ?? "", wide, column > 0)).join("  ").trimEnd();
  const rule = widths.map((wide) => "─".repeat(wide)).join("  ");
  return [line(head), rule, ...rows.map(line)].join("\n");
}

function pad(text: string, wide: number, right: boolean): string {
  const space = " ".repeat(wide - width(text));
  return right ? space + text : text + space;
}

/** Characters, not UTF-16 units: "→" and "…" are one each. */
function width(text: string): number {
  return [...text].length;
}
