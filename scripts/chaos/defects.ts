// Mistakes that are planted into Rollcall to see whether the faults bring them to light. Changes no file of the repository.
import { defects as benchDefects, type Planting } from "../bench/defects/defects.ts";

export const defects: readonly Planting[] = [
  ...benchDefects.filter(({ name }) => name === "no-drain-on-kill"),
  {
    name: "deaf-sweep",
    title: "a confd that has missed something is never restarted",
    service: "nginx",
    source: "nginx/edge/sweep",
    inImage: "/usr/local/lib/rollcall/sweep",
    find: '  kill -KILL "$pid" 2>/dev/null || true\n',
    replaceBy: "",
  },
  {
    name: "believes-absence",
    title: "the edge believes an etcd for which nobody vouches",
    service: "nginx",
    source: "nginx/confd/templates/nginx.conf.tmpl",
    inImage: "/etc/rollcall/confd/templates/nginx.conf.tmpl",
    find: '{{- if or (getenv "ROLLCALL_FALLBACK") (gets "/rollcall/hosts/*") -}}',
    replaceBy: "{{- if true -}}",
  },
];

/** The mistake of that name. Throws with the names that there are. */
export function defectNamed(name: string): Planting {
  const defect = defects.find((defect) => defect.name === name);
  if (defect) return defect;
  const names = defects.map(({ name }) => name).join(", ");
  throw new TypeError(`Cannot find defect ${JSON.stringify(name)}: there are ${names}`);
}
