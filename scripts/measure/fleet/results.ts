// What a measurement of a fleet came to, as the file that is kept, and the chart that is drawn of it. Measures nothing.
import { barsSvg } from "../../bench/report/chart.ts";
import type { Used } from "./processors.ts";

/** What everybody used while something happened. */
export interface Load {
  readonly what: string;
  /** Of one processor, in percent. */
  readonly used: Used;
  /** Of etcd, each second; `sent` in bytes. */
  readonly requests: number;
  readonly sent: number;
}

/** Lists of text are rows of a table, their head first. */
export interface Results {
  readonly size: { readonly hosts: number; readonly instances: number; readonly services: number };
  readonly figures: readonly (readonly string[])[];
  readonly lags: readonly (readonly string[])[];
  readonly loads: readonly Load[];
}

/** Who is busy: a bar for each part of the fleet and each load. What only simulates is not in it. */
export function processorsSvg({ size, loads }: Results): string {
  const { hosts, instances } = size;
  return barsSvg({
    title: "Who is busy, in percent of one processor",
    subtitle: `${hosts} hosts with ${instances} instances each, on one machine of two processors`,
    labels: loads.map(({ what }) => what),
    series: [
      { name: "all registrators", values: loads.map(({ used }) => used.registrators) },
      { name: "etcd", values: loads.map(({ used }) => used.etcd) },
      { name: "confd", values: loads.map(({ used }) => used.confd) },
      { name: "nginx, check and reload", values: loads.map(({ used }) => used.nginx + used.apply) },
    ],
    text: (value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 }),
  });
}

/** Writes `results.json` and `processors.svg` into a folder. */
export async function save(results: Results, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
  await Deno.writeTextFile(`${folder}/results.json`, JSON.stringify(results, rounded, 1) + "\n");
  await Deno.writeTextFile(`${folder}/processors.svg`, processorsSvg(results));
}
