// Defects that are planted into Rollcall to see whether the harness finds them. Changes no file of the repository.

import { rootFolder } from "../stack/folders.ts";
import type { Measurement } from "../measure/measurement.ts";
import { failed } from "../measure/account.ts";
import { summarize } from "../measure/statistics.ts";

/** One line of one source file, changed while something runs. */
export interface Planting {
  readonly name: string;
  readonly title: string;
  /** The compose service that gets the changed file. */
  readonly service: string;
  /** The file in the repository, and where the image has it. */
  readonly source: string;
  readonly inImage: string;
  /** What is replaced; has to stand in the file exactly once. */
  readonly find: string;
  readonly replaceBy: string;
}

/** What a scenario of this harness has to find. */
export interface Defect extends Planting {
  /** Where it has to show, and how. */
  readonly scenario: string;
  readonly client: "kept" | "new" | "both";
  readonly shows: (measurement: Measurement) => boolean;
}

export const defects: readonly Defect[] = [
  {
    name: "no-drain-on-kill",
    title: "the registrator does not hear Docker's kill events",
    service: "registrator",
    source: "discovery/docker/events.ts",
    inImage: "/app/discovery/docker/events.ts",
    find: '    "kill",\n',
    replaceBy: "",
    scenario: "late-exit",
    client: "both",
    shows: (m) => failed(m.account) > 0 && (summarize(m.killToLast)?.p50 ?? 0) > 1_000,
  },
  {
    name: "no-keepalive-min-timeout",
    title: "nginx closes idle connections at a reload without waiting for the next request",
    service: "nginx",
    source: "nginx/confd/templates/body.conf.tmpl",
    inImage: "/etc/rollcall/confd/templates/body.conf.tmpl",
    find: "    keepalive_min_timeout   5s;\n",
    replaceBy: "",
    scenario: "scale",
    client: "kept",
    shows: (m) => failed(m.account, { kind: "stale" }) > 0,
  },
];

/** The defect of that name. Throws with the names that there are. */
export function defectNamed(name: string): Defect {
  const defect = defects.find((defect) => defect.name === name);
  if (defect) return defect;
  const names = defects.map(({ name }) => name).join(", ");
  throw new Error(`Cannot find defect ${JSON.stringify(name)}: there are ${names}`);
}

/** The text of the source with the defect. Throws when the source has changed so that it does not fit. */
export function spoil(text: string, { name, source, find, replaceBy }: Planting): string {
  const times = text.split(find).length - 1;
  if (times === 1) return text.replace(find, replaceBy);
  const found = `${JSON.stringify(find)} stands in ${source} ${times} times`;
  throw new Error(
    `Cannot plant ${name}: ${found}, not once. Bring the defect up to date`,
  );
}

/** Writes the spoilt file and a compose file that mounts it into `folder`; returns the latter. */
export async function plant(defect: Planting, folder: string): Promise<string> {
  const text = await Deno.readTextFile(`${rootFolder}/${defect.source}`);
  const file = `${folder}/${defect.source.split("/").at(-1)}`;
  // A script stays one that can be started.
  const { mode } = await Deno.stat(`${rootFolder}/${defect.source}`);
  await Deno.writeTextFile(file, spoil(text, defect), { mode: (mode ?? 0o644) & 0o777 });
  const overlay = `${folder}/compose.yaml`;
  const volume = { type: "bind", source: file, target: defect.inImage, read_only: true };
  const compose = { services: { [defect.service]: { volumes: [volume] } } };
  // JSON is YAML.
  await Deno.writeTextFile(overlay, JSON.stringify(compose, null, 2));
  return overlay;
}
