// The Prometheus text format: numbers with names and labels in, text out. Pure; owns no name and counts nothing.
// Not prom-client, which the service uses: loading it costs the registrator 19 MB (docs/decisions/metrics.md).

/** The labels of one number. */
export type Labels = Readonly<Record<string, string>>;

/** One number. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** Numbers of one name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  readonly samples: Iterable<Sample>;
}

/** How many were at most so large, by `le`, over all, and their sum. */
export interface Distribution {
  readonly labels: Labels;
  readonly buckets: ReadonlyMap<number, number>;
  readonly count: number;
  readonly sum: number;
}

/** Distributions of one name. */
export interface Histogram {
  readonly name: string;
  readonly help: string;
  readonly kind: "histogram";
  readonly distributions: Iterable<Distribution>;
}

/** What Prometheus takes the text for. */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The text. A family without numbers is left out. */
export function exposition(families: Iterable<Family | Histogram>): string {
  let text = "";
  for (const family of families) {
    const { name, help, kind } = family;
    const lines = kind === "histogram"
      ? [...family.distributions].flatMap((distribution) => histogramLines(name, distribution))
      : [...family.samples].map(({ labels, value }) => lineOf(name, labels, value));
    if (lines.length === 0) continue;
    text += `# HELP ${name} ${escaped(help, false)}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
  }
  return text;
}

/** One number without labels. */
export function single(
  kind: Family["kind"],
  name: string,
  help: string,
  value: number | undefined,
): Family {
  return { kind, name, help, samples: value === undefined ? [] : [{ value }] };
}

function histogramLines(
  name: string,
  { labels, buckets, count, sum }: Distribution,
): readonly string[] {
  return [
    ...[...buckets].map(([le, value]) =>
      lineOf(`${name}_bucket`, { ...labels, le: String(le) }, value)
    ),
    lineOf(`${name}_bucket`, { ...labels, le: "+Inf" }, count),
    lineOf(`${name}_sum`, labels, sum),
    lineOf(`${name}_count`, labels, count),
  ];
}

function lineOf(name: string, labels: Labels = {}, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text, true)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}

function escaped(text: string, quoted: boolean): string {
  const safe = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quoted ? safe.replaceAll('"', '\\"') : safe;
}
