// Charts as SVG text that is readable on light and on dark ground. Knows nothing of what they show.

import * as echarts from "echarts";

// Stand-ins that nobody would choose; they become variables of a style sheet that knows both grounds.
export const colours = {
  ink: { mark: "#010203", light: "#1f2328", dark: "#e6edf3" },
  soft: { mark: "#010204", light: "#59636e", dark: "#9198a1" },
  grid: { mark: "#010205", light: "#d1d9e0", dark: "#3d444d" },
  one: { mark: "#010206", light: "#0969da", dark: "#4493f8" },
  two: { mark: "#010207", light: "#bc4c00", dark: "#f0883e" },
  three: { mark: "#010208", light: "#8250df", dark: "#ab7df8" },
  four: { mark: "#010209", light: "#1a7f37", dark: "#3fb950" },
} as const;

const series = [colours.one.mark, colours.two.mark, colours.three.mark, colours.four.mark];
export const font = "system-ui, sans-serif";

/** Bars side by side: one group for each label, one bar for each series. */
export interface Bars {
  readonly title: string;
  readonly subtitle: string;
  readonly labels: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly values: readonly (number | null)[];
  }[];
  /** A number as text at the end of its bar. */
  readonly text: (value: number) => string;
}

/** Lines from a typical to the largest value, on a logarithmic scale: one for each label and series. */
export interface Ranges {
  readonly title: string;
  readonly subtitle: string;
  readonly labels: readonly string[];
  readonly series: readonly {
    readonly name: string;
    /** Undefined where there is nothing to show. */
    readonly ranges: readonly ({ p50: number; p95: number; max: number } | undefined)[];
  }[];
}

/** Draws bars. */
export function barsSvg({ title, subtitle, labels, series: all, text }: Bars): string {
  return draw(labels.length * all.length, {
    ...frame(title, subtitle, labels, all.map(({ name }) => name)),
    xAxis: { ...valueAxis, type: "value", axisLabel: { show: false }, splitLine: { show: false } },
    series: all.map(({ name, values }) => ({
      type: "bar",
      name,
      data: values,
      barMaxWidth: 18,
      label: {
        show: true,
        position: "right",
        color: colours.ink.mark,
        fontFamily: font,
        formatter: ({ value }: { value: unknown }) => typeof value === "number" ? text(value) : "",
      },
    })),
  });
}

/** Draws ranges: a dot at the median, a line to the largest, a tick at 95 %. */
export function rangesSvg({ title, subtitle, labels, series: all }: Ranges): string {
  return draw(labels.length * all.length, {
    ...frame(title, subtitle, labels, all.map(({ name }) => name)),
    xAxis: {
      ...valueAxis,
      type: "log",
      name: "ms",
      min: 10,
      axisLabel: { color: colours.soft.mark, fontFamily: font },
      splitLine: { lineStyle: { color: colours.grid.mark } },
    },
    series: all.map(({ name, ranges }, at) => ({
      type: "custom",
      name,
      itemStyle: { color: series[at % series.length] },
      data: ranges.map((range, row) => range ? [range.p50, row, range.p95, range.max] : [NaN, row]),
      renderItem: (_: unknown, api: Api) => rangeShape(api, at, all.length),
    })),
  });
}

/** What is used of ECharts' interface for shapes of one's own. */
interface Api {
  value(dimension: number): number;
  coord(point: readonly [number, number]): [number, number];
  size(size: readonly [number, number]): [number, number];
}

function rangeShape(api: Api, at: number, count: number) {
  const [p50, row, p95, max] = [0, 1, 2, 3].map((n) => api.value(n)) as [
    number,
    number,
    number,
    number,
  ];
  if (Number.isNaN(p50)) return undefined;
  const x = (value: number) => api.coord([Math.max(10, value), row])[0];
  const height = api.size([0, 1])[1];
  const y = api.coord([10, row])[1] + (at - (count - 1) / 2) * Math.min(22, height / count);
  const stroke = series[at % series.length];
  const line = (x1: number, x2: number, y1: number, y2: number, lineWidth: number) => ({
    type: "line",
    shape: { x1, x2, y1, y2 },
    style: { stroke, lineWidth },
  });
  return {
    type: "group",
    children: [
      line(x(p50), x(max), y, y, 3),
      line(x(p95), x(p95), y - 5, y + 5, 2),
      { type: "circle", shape: { cx: x(p50), cy: y, r: 5 }, style: { fill: stroke } },
      {
        type: "text",
        style: {
          text: `${p50.toFixed(0)} / ${p95.toFixed(0)} / ${max.toFixed(0)}`,
          x: x(max) + 10,
          y,
          verticalAlign: "middle",
          fill: colours.ink.mark,
          font: `11px ${font}`,
        },
      },
    ],
  };
}

const valueAxis = { nameTextStyle: { color: colours.soft.mark, fontFamily: font } };

function frame(
  title: string,
  subtitle: string,
  labels: readonly string[],
  names: readonly string[],
) {
  return {
    animation: false,
    color: series,
    title: {
      left: 0,
      text: title,
      subtext: subtitle,
      textStyle: { color: colours.ink.mark, fontFamily: font, fontSize: 15 },
      subtextStyle: { color: colours.soft.mark, fontFamily: font, fontSize: 12 },
    },
    legend: {
      show: names.length > 1,
      bottom: 0,
      left: 0,
      itemGap: 32,
      data: names,
      textStyle: { color: colours.ink.mark, fontFamily: font },
    },
    grid: { left: 8, right: 150, top: 64, bottom: names.length > 1 ? 34 : 8, containLabel: true },
    yAxis: {
      type: "category",
      inverse: true,
      data: labels,
      axisLine: { lineStyle: { color: colours.grid.mark } },
      axisTick: { show: false },
      axisLabel: { color: colours.ink.mark, fontFamily: font, fontSize: 13 },
    },
  };
}

function draw(rows: number, option: Record<string, unknown>): string {
  return drawSvg(120 + rows * 24, option);
}

/** Draws whatever ECharts can draw, as high as wanted; its colours are to be marks of `colours`. */
export function drawSvg(height: number, option: Record<string, unknown>): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 760, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString({ useViewBox: true });
  chart.dispose();
  return adaptive(svg);
}

/** Colours by variables, and none of what is only for pointing at with a mouse. */
function adaptive(svg: string): string {
  let text = svg.replace(/<style[\s\S]*?<\/style>\s*/g, "")
    .replace(/ (class|ecmeta_\w+|pointer-events)="[^"]*"/g, "");
  for (const [name, { mark }] of Object.entries(colours)) {
    text = text.replaceAll(mark, `var(--${name})`);
  }
  const rules = (ground: "light" | "dark") =>
    Object.entries(colours).map(([name, colour]) => `--${name}:${colour[ground]}`).join(";");
  const style = `<style>svg{${rules("light")}}` +
    `@media (prefers-color-scheme:dark){svg{${rules("dark")}}}</style>`;
  return text.replace(/(<svg[^>]*>)/, `$1\n${style}`).trimEnd() + "\n";
}
