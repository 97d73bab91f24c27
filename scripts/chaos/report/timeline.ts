// A run as a picture: which part was struck when, how many instances ran and were in nginx, what failed. Draws no axis
// by itself: ECharts does.
import { colours, drawSvg, font } from "../../bench/report/chart.ts";
import type { RunResult } from "../running/result.ts";
import { laneOf, LANES } from "./lanes.ts";

const LANE_HEIGHT = 20;
const [LEFT, RIGHT] = [130, 12];

export function timelineSvg(result: RunResult): string {
  const { episodes, counts, seed } = result;
  const start = counts[0]?.at ?? episodes[0]?.from ?? 0;
  const end = Math.max(counts.at(-1)?.at ?? 0, episodes.at(-1)?.to ?? 0);
  const minutes = (at: number) => Math.round((at - start) / 60) / 1000;
  const bars = episodes.flatMap(({ done }) =>
    done.flatMap(({ what, kind, from, over }) => {
      const lane = laneOf(what);
      if (kind !== "fault" || lane === undefined) return [];
      return [[minutes(from), LANES.indexOf(lane), minutes(over)]];
    })
  );
  const lanes = { top: 66, height: LANES.length * LANE_HEIGHT };
  const lines = { top: lanes.top + lanes.height + 34, height: 80 };
  const failures = { top: lines.top + lines.height + 34, height: 70 };
  const grid = [lanes, lines, failures].map((place) => ({ ...place, left: LEFT, right: RIGHT }));
  const text = { color: colours.soft.mark, fontFamily: font };
  const max = minutes(end);
  const [excused, unexplained] = [true, false].map((is) => lostPerBin(result, start, end, is));
  return drawSvg(failures.top + failures.height + 66, {
    animation: false,
    color: [colours.one.mark, colours.two.mark, colours.three.mark, colours.four.mark],
    title: {
      left: 0,
      text: `${max.toFixed(0)} minutes of faults, seed ${seed}`,
      subtext: "top: what was struck, and how long; middle: instances; bottom: failed requests",
      textStyle: { color: colours.ink.mark, fontFamily: font, fontSize: 15 },
      subtextStyle: { ...text, fontSize: 12 },
    },
    legend: {
      bottom: 0,
      left: 0,
      itemGap: 24,
      textStyle: { color: colours.ink.mark, fontFamily: font },
      data: ["instances that run", "in nginx", "failed, as a fault allows", "failed, unexplained"],
    },
    grid,
    xAxis: grid.map((_, gridIndex) => ({
      ...{ gridIndex, type: "value", min: 0, max },
      name: gridIndex === 2 ? "minutes" : "",
      ...{ nameLocation: "middle", nameGap: 24, nameTextStyle: text },
      axisLabel: { ...text, show: gridIndex === 2, showMaxLabel: false },
      axisLine: { lineStyle: { color: colours.grid.mark } },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: colours.grid.mark } },
    })),
    yAxis: [
      {
        ...{ gridIndex: 0, type: "category", inverse: true, data: LANES },
        axisLine: { lineStyle: { color: colours.grid.mark } },
        axisTick: { show: false },
        axisLabel: { color: colours.ink.mark, fontFamily: font, fontSize: 12 },
      },
      { gridIndex: 1, ...numbers(text), minInterval: 1, min: 0 },
      { gridIndex: 2, ...numbers(text), type: "log", min: 0.5, splitNumber: 2 },
    ],
    series: [
      {
        ...{ type: "custom", xAxisIndex: 0, yAxisIndex: 0, data: bars },
        encode: { x: [0, 2], y: 1 },
        itemStyle: { color: colours.two.mark },
        renderItem: bar,
      },
      {
        ...{ type: "line", step: "end", name: "instances that run", symbol: "none" },
        ...{ xAxisIndex: 1, yAxisIndex: 1, lineStyle: { width: 1 } },
        itemStyle: { color: colours.soft.mark },
        data: changes(counts.map(({ at, running }) => [minutes(at), running])),
      },
      {
        ...{ type: "line", step: "end", name: "in nginx", symbol: "none" },
        ...{ xAxisIndex: 1, yAxisIndex: 1, lineStyle: { width: 1 } },
        itemStyle: { color: colours.one.mark },
        data: changes(counts.map(({ at, live }) => [minutes(at), live < 0 ? null : live])),
      },
      ...[
        { name: "failed, as a fault allows", data: excused, color: colours.two.mark },
        { name: "failed, unexplained", data: unexplained, color: colours.three.mark },
      ].map(({ name, data, color }) => ({
        ...{ type: "bar", name, data, xAxisIndex: 2, yAxisIndex: 2, barWidth: 2, barGap: "-100%" },
        itemStyle: { color },
      })),
    ],
  });
}

const numbers = (text: Record<string, unknown>) => ({
  type: "value",
  axisLabel: text,
  splitLine: { lineStyle: { color: colours.grid.mark } },
});

/** What is used of ECharts' interface for shapes of one's own. */
interface Api {
  value(dimension: number): number;
  coord(point: readonly [number, number]): [number, number];
}

function bar(_: unknown, api: Api) {
  const [x, y] = api.coord([api.value(0), api.value(1)]);
  const [end] = api.coord([api.value(2), api.value(1)]);
  // A moment is seen, too.
  const shape = { x, y: y - 5, width: Math.max(2, end - x), height: 10 };
  return { type: "rect", shape, style: { fill: colours.two.mark } };
}

/** The points at which something changes, and those right before: a run of an hour has thousands that say the same. */
function changes(points: readonly (readonly [number, number | null])[]) {
  return points.filter(([, value], i) =>
    value !== points[i - 1]?.[1] || value !== points[i + 1]?.[1]
  );
}

/** Failed requests in bins that are a pixel or two wide, at the minutes of their middles. */
function lostPerBin({ episodes }: RunResult, start: number, end: number, excused: boolean) {
  const width = (end - start) / 300;
  const bins = new Map<number, number>();
  for (const { at, because } of episodes.flatMap(({ lost }) => lost)) {
    if ((because !== undefined) !== excused) continue;
    const bin = Math.floor((at - start) / width);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return [...bins].map(([bin, count]) => [
    Math.round((bin + 0.5) * width / 60) / 1000,
    count,
  ]);
}
