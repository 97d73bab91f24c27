// The names of metrics are a contract: what dashboard, rules and docs use is exported, and what is exported is documented.
import assert from "node:assert/strict";
import { parse } from "yaml";
import { EdgeMetrics } from "../dashboard/edge_metrics.ts";
import { triesIn } from "../dashboard/traffic.ts";
import { RegistratorMetrics } from "./registrator_metrics.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));

/** Every name that is exported, by a registrator and an edge that have seen everything. */
function exported(): ReadonlySet<string> {
  const registrator = new RegistratorMetrics({
    version: "1",
    standing: () => ({
      ...{ docker: true, etcd: true, vouching: true, containers: 0, states: () => new Map() },
    }),
    ...{ now: () => 1, startedAt: 1, memory: () => 1 },
  });
  const edge = new EdgeMetrics();
  edge.take(triesIn(["10.0.0.1:80\t0.1\t200"]), [], 0);
  const names = ["reloads", "reload_ms", "checks", "check_ms", "failed_check"];
  const text = registrator.text() + edge.text({
    totals: {
      connections: {
        ...{ active: 1, reading: 1, writing: 1, waiting: 1, accepted: 1, handled: 1, requests: 1 },
      },
      counts: new Map(names.map((name) => [name, 1])),
    },
    ...{ up: true, etcd: true, live: 1, instances: 1, missing: 0, extra: 0, browsers: 0 },
  });
  // A counter without labels is shown once something was counted; these are read from the source.
  const source = read("registrator_metrics.ts").matchAll(/"((?:rollcall|process)_[a-z_]+)"/g);
  return new Set([
    ...[...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!),
    ...[...source].map(([, name]) => name!),
  ]);
}

function usedIn(text: string): ReadonlySet<string> {
  const names = text.match(/\b(rollcall|process)_[a-z_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, "")));
}

Deno.test("dashboard, rules and docs use names that are exported", () => {
  const names = exported();
  const rules = parse(read("rules.yml")).groups[0].rules.map(({ expr }: { expr: string }) => expr);
  const panels: Array<{ targets: Array<{ expr: string }> }> = JSON.parse(
    read("grafana/rollcall.json"),
  ).panels;
  const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  assert.ok(rules.length >= 5 && exprs.length >= 15);
  for (const text of [...rules, ...exprs, read("../../docs/metrics.md")]) {
    for (const name of usedIn(text)) {
      assert.ok(names.has(name) || name.endsWith("_"), `${name} is not exported: ${text}`);
    }
  }
});

Deno.test("docs/metrics.md has every name that is exported", () => {
  const page = usedIn(
    read("../../docs/metrics.md").replaceAll("`…_", "`rollcall_edge_connections_"),
  );
  for (const name of exported()) assert.ok(page.has(name), `docs/metrics.md has no ${name}`);
});

Deno.test("Prometheus asks the dashboard for both, and finds the rules where compose.yaml puts them", () => {
  const { scrape_configs: jobs, rule_files: rules } = parse(read("prometheus.yml"));
  const { services } = parse(read("../../compose.yaml"), { merge: true });
  const targets = jobs.flatMap(({ static_configs: configs = [] }) =>
    configs.flatMap(({ targets }: { targets: string[] }) => targets)
  );
  assert.deepEqual(targets, ["dashboard:8080", "dashboard:8080"]);
  const mounted = [...services.prometheus.volumes, ...services.grafana.volumes]
    .map((volume: string) => volume.split(":"));
  for (const [from, to] of mounted) {
    if (from!.startsWith("./")) assert.ok(Deno.statSync(new URL(`../../${from}`, import.meta.url)));
    if (to!.endsWith("rules.yml")) assert.deepEqual(rules, [to]);
  }
});
