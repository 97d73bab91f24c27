// Metrics on the real stack: what they say, who can read them, and that promtool finds nothing wrong where it is installed.
import assert from "node:assert/strict";
import { parse, stringify } from "yaml";
import { docker, dockerTest, eventually, freePort, run } from "../../scripts/testing/docker.ts";
import { Stack } from "../../scripts/e2e/stack.ts";
import { numbersIn } from "./testing.ts";

dockerTest("metrics of registrator, edge and service on a real stack", async (t) => {
  const stack = new Stack({ START_DELAY_MS: "0" });
  const step = async (name: string, fn: () => Promise<void>) => {
    if (!await t.step(name, fn)) throw new Error(`Stopped after: ${name}`);
  };
  // nginx's container stands on all networks that matter, and has curl.
  const curl = (url: string) =>
    stack.compose("exec", "-T", "nginx", "curl", "-fsS", "--max-time", "5", url);
  const registrator = async () => {
    const { status, text } = await edge("localhost", "/metrics/registrator");
    assert.equal(status, 200, text);
    return text;
  };
  const addressOf = async (network: string) =>
    (await docker(
      ...["inspect", "--format"],
      `{{(index .NetworkSettings.Networks "${stack.project}_${network}").IPAddress}}`,
      stack.name("registrator"),
    )).trim();
  const edge = async (host = "localhost", path = "/metrics") => {
    const url = `http://127.0.0.1:${stack.dashboardPort}${path}`;
    const client = Deno.createHttpClient({ allowHost: true });
    try {
      const answer = await fetch(url, { client, headers: { host } });
      return { status: answer.status, text: await answer.text() };
    } finally {
      client.close();
    }
  };
  const sum = (numbers: ReadonlyMap<string, number>, name: RegExp) =>
    [...numbers].filter(([key]) => name.test(key)).reduce((sum, [, value]) => sum + value, 0);
  try {
    await step("the registrator tells of its instances, Docker, etcd and lease", async () => {
      await stack.compose("up", "-d", "--build", "--scale", "service=2");
      await eventually(async () => assert.equal((await stack.answering(8)).size, 2), {
        within: 60_000,
      });
      await eventually(async () => {
        const numbers = numbersIn(await registrator());
        assert.ok(numbers.get('rollcall_instances{state="up"}')! >= 2); // others' projects may be there
        assert.equal(numbers.get("rollcall_docker_connected"), 1);
        assert.equal(numbers.get("rollcall_etcd_connected"), 1);
        assert.equal(numbers.get("rollcall_vouching"), 1);
        assert.ok(sum(numbers, /^rollcall_probes_total\{.*"pass"/) >= 2);
        assert.ok(sum(numbers, /^rollcall_etcd_writes_total\{op="put"/) >= 5);
        const left = numbers.get("rollcall_lease_expiry_timestamp_seconds")! - Date.now() / 1000;
        assert.ok(left > 0 && left <= 16, String(left));
        const listed = Date.now() / 1000 -
          numbers.get("rollcall_docker_last_list_timestamp_seconds")!;
        assert.ok(listed < 60, String(listed));
      }, { within: 20_000, every: 500 });
      const health = await curl(`http://${await addressOf("control")}:9100/health`);
      assert.deepEqual(JSON.parse(health), { docker: true, etcd: true });
    });

    await step("nobody on the instances' network can read them", async () => {
      const image = (await docker("inspect", "--format", "{{.Config.Image}}", stack.name("nginx")))
        .trim();
      const asked = docker(
        ...["run", "--rm", "--network", `${stack.project}_edge`, "--entrypoint", "curl", image],
        ...["-sS", "--max-time", "5", `http://${await addressOf("edge")}:9100/metrics`],
      );
      await assert.rejects(asked, /refused|Couldn't connect|Failed to connect/);
    });

    await step("the dashboard tells what nginx did, for each instance", async () => {
      await stack.answering(30);
      await eventually(async () => {
        const numbers = numbersIn((await edge()).text);
        const mine = new RegExp(
          `^rollcall_upstream_requests_total\\{service="service",.*container="${stack.project}-service-\\d",code="2xx"`,
        );
        assert.ok(sum(numbers, mine) >= 30);
        assert.equal([...numbers.keys()].filter((key) => mine.test(key)).length, 2);
        assert.equal(numbers.get("rollcall_edge_up"), 1);
        assert.ok(numbers.get("rollcall_edge_instances")! >= 2);
        assert.equal(numbers.get("rollcall_edge_instances_missing"), 0);
        assert.ok(numbers.get("rollcall_edge_reloads_total")! >= 1);
        assert.equal(numbers.get('rollcall_edge_failures_total{step="reload"}'), 0);
        assert.ok(numbers.get("rollcall_edge_requests_total")! >= 38);
        assert.ok(numbers.has('rollcall_edge_connections{state="active"}'));
        const live = Date.now() / 1000 - numbers.get("rollcall_edge_live_timestamp_seconds")!;
        assert.ok(live >= 0 && live < 300, String(live));
      }, { within: 20_000, every: 500 });
      assert.equal((await edge("dashboard:8080")).status, 200); // as Prometheus asks
      assert.equal((await edge("rebound.example")).status, 403);
    });

    await step("promtool finds nothing wrong with any of them", async () => {
      const [id] = await stack.containers();
      const address = await docker(
        ...["inspect", "--format"],
        "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
        id!,
      );
      const service = await curl(`http://${address.trim()}:8080/metrics`);
      const texts = [await registrator(), (await edge()).text, service];
      if (await run("promtool", ["--version"]).then(() => false, () => true)) {
        console.error("      promtool is not installed: their form is held by exposition_test.ts");
        return;
      }
      for (const text of texts) {
        const child = new Deno.Command("promtool", {
          args: ["check", "metrics"],
          ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
        }).spawn();
        const writer = child.stdin.getWriter();
        await writer.write(new TextEncoder().encode(text));
        await writer.close();
        const { code, stdout, stderr } = await child.output();
        const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
        assert.equal(code, 0, said);
      }
    });

    await step("a real Prometheus has numbers for every panel, and no alert", async () => {
      if (await run("prometheus", ["--version"]).then(() => false, () => true)) {
        console.error("      prometheus is not installed (Debian: apt-get install prometheus)");
        return;
      }
      const ids = await stack.containers();
      const addresses = await Promise.all(ids.map(async (id) => {
        const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        return (await docker("inspect", "--format", format, id)).trim();
      }));
      await usingPrometheus({
        dashboard: `127.0.0.1:${stack.dashboardPort}`,
        service: addresses.map((address) => `${address}:8080`),
      }, async (query) => {
        for (const expr of ['up{job=~"rollcall-.*"} == 1', 'service_ready{job="service"} == 1']) {
          await eventually(async () => assert.equal((await query(expr)).length, 2), {
            within: 30_000,
            every: 500,
          });
        }
        for (const expr of panels()) {
          await eventually(async () => {
            await stack.answering(2); // rates need requests
            assert.ok((await query(expr)).length > 0, `no numbers: ${expr}`);
          }, { within: 40_000, every: 500 });
        }
        assert.deepEqual(await query('ALERTS{alertstate="firing"}'), []);
      });
    });

    await step(
      "with the port off the registrator does its work, and the page says so",
      async () => {
        stack.set({ ROLLCALL_METRICS: "off" });
        await stack.compose("up", "-d", "--no-build", "--scale", "service=2");
        await eventually(async () => {
          const [id] = await stack.containers("registrator");
          const health = await docker("inspect", "-f", "{{.State.Health.Status}}", id!);
          assert.equal(health.trim(), "healthy");
        }, { within: 40_000, every: 500 });
        await eventually(async () => {
          assert.equal((await edge("localhost", "/metrics/registrator")).status, 502);
        }, { within: 20_000, every: 500 });
        await stack.scale(3);
        await eventually(async () => assert.equal((await stack.answering(12)).size, 3), {
          within: 30_000,
        });
      },
    );
  } finally {
    await stack.down();
  }
});

/** What the dashboard for Grafana asks. */
function panels(): readonly string[] {
  const text = Deno.readTextFileSync(new URL("grafana/rollcall.json", import.meta.url));
  const panels: Array<{ targets: Array<{ expr: string }> }> = JSON.parse(text).panels;
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** Runs Prometheus with our own configuration, but for the targets, which have no names on this machine. */
async function usingPrometheus(
  { dashboard, service }: { readonly dashboard: string; readonly service: readonly string[] },
  use: (query: (expr: string) => Promise<unknown[]>) => Promise<void>,
): Promise<void> {
  const path = (name: string) => new URL(name, import.meta.url).pathname;
  const config = parse(await Deno.readTextFile(path("prometheus.yml")));
  config.global = { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" };
  config.rule_files = [path("rules.yml")];
  for (const job of config.scrape_configs) {
    const targets = job.static_configs ? [dashboard] : service;
    delete job.dns_sd_configs;
    job.static_configs = [{ targets }];
  }
  const folder = await Deno.makeTempDir({ prefix: "rollcall-prometheus-" });
  await Deno.writeTextFile(`${folder}/prometheus.yml`, stringify(config));
  const port = freePort();
  const child = new Deno.Command("prometheus", {
    args: [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  try {
    await use(async (expr) => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
      const { status, data, error } = await (await fetch(url)).json();
      assert.equal(status, "success", error);
      return data.result;
    });
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(folder, { recursive: true });
  }
}
