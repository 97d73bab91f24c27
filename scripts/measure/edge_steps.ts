// Measures where the time goes between Docker's event and what clients notice, step by step, on a stack of its own
// under load. Prints Markdown for docs/measurements.md.
//
//   deno run -A scripts/measure/edge_steps.ts [--cycles 30] [--rate 1000] [--interval 100ms]
//
// Each cycle starts two containers at once and stops them again. They are nginx, which listens at once and serves on
// for a second after its stop signal: so the figures are Rollcall's and Docker's, not an application's.
import { parseArgs } from "node:util";
import { delay } from "../../discovery/delay.ts";
import { accountFor, failed } from "../bench/measure/account.ts";
import { instanceOf, type Life, livesOf } from "../bench/measure/lives.ts";
import { paceOf } from "../bench/measure/pace.ts";
import { Load } from "../bench/load/load.ts";
import { EventWatch } from "../bench/stack/events.ts";
import { Stack } from "../e2e/stack.ts";
import { docker, eventually } from "../testing/docker.ts";
import { type WentLive, wentLive } from "./edge/edge_log.ts";
import { EtcdWatch, type KeyEvent } from "./edge/etcd_watch.ts";
import { markdownTable, PERCENTILES, percentiles } from "./edge/table.ts";

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "30" },
    rate: { type: "string", default: "1000" },
    interval: { type: "string" },
  },
});
const [cycles, rate] = [Number(values.cycles), Number(values.rate)];
const step = (text: string) =>
  console.error(`[${(performance.now() / 1000).toFixed(1).padStart(6)} s] ${text}`);

/** One that answers at once, names itself, and serves on for a second after SIGTERM. */
const CONF = `pid /tmp/pid; worker_processes 1; events {} http { access_log off;
  client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; keepalive_requests 1000000;
  server { listen 8080; default_type application/json; add_header X-Instance $hostname;
    location / { return 200 '{"instance":"$hostname"}'; } } }`;
const RUN = `printf %s "$CONF" > /tmp/conf
nginx -e stderr -c /tmp/conf -g 'daemon off;' & trap 'sleep 1; kill -QUIT %1' TERM; wait; wait`;

const stack = new Stack(values.interval ? { RELOAD_MIN_INTERVAL: values.interval } : {});
const names: string[] = [];
/** Containers by the name that they give themselves. */
const nameOf = new Map<string, string>();
try {
  step("one stack");
  await stack.compose("up", "-d", "--build", "--scale", "service=0");
  const image = (await docker(
    ...["inspect", "--format", "{{.Config.Image}}", (await stack.containers("nginx"))[0]!],
  )).trim();
  for (let i = 1; i <= 4; i++) {
    const name = `${stack.project}-instance-${i}`;
    names.push(name);
    const id = await docker(
      ...["create", "--name", name, "--network", `${stack.project}_edge`, "--tmpfs", "/tmp"],
      ...["--stop-signal", "SIGTERM", "--entrypoint", "bash", "-e", `CONF=${CONF}`],
      ...["--label", `com.docker.compose.project=${stack.project}`],
      ...["--label", "SERVICE_80_IGNORE=true", "--label", "SERVICE_8080_NAME=service"],
      ...["--no-healthcheck", image, "-c", RUN],
    );
    nameOf.set(instanceOf(id), name);
  }
  await docker("start", names[0]!, names[1]!);
  await eventually(async () => {
    if ((await stack.registrations()).size !== 2) throw new Error("not registered");
    await stack.answering(4);
  }, { within: 60_000 });

  const [etcd] = await stack.containers("etcd");
  const address = (await docker(
    "inspect",
    "--format",
    `{{(index .NetworkSettings.Networks "${stack.project}_control").IPAddress}}`,
    etcd!,
  )).trim();
  const keys = await EtcdWatch.open(`http://${address}:2379`, "/services/");
  const watch = new EventWatch(stack.project, Date.now());
  const load = new Load({
    address: { hostname: "127.0.0.1", port: stack.port },
    // Any 2xx counts; instances are told by their header.
    target: { host: "bench", getPath: "/", postPath: "/", expect: "status" },
    mix: { seed: 1, postShare: 0.2, freshShare: 0 },
    ...{ rate, maxRequests: rate * 600, connections: 50, maxUnderWay: 500, timeoutMs: 10_000 },
  });
  await delay(2_000);
  const began = Date.now();
  for (let cycle = 1; cycle <= cycles; cycle++) {
    if (cycle % 10 === 1) step(`cycle ${cycle} of ${cycles}`);
    await Promise.all([names[2]!, names[3]!].map((name) => docker("start", name)));
    await delay(700);
    await Promise.all([names[2]!, names[3]!].map((name) => docker("stop", "-t", "5", name)));
    await delay(300);
  }
  const recording = await load.stop();
  await delay(200);
  await watch.stop();
  keys.stop();
  const { stderr } = await new Deno.Command("docker", {
    args: ["logs", (await stack.containers("nginx"))[0]!],
    stdout: "null",
  }).output();
  const live = wentLive(new TextDecoder().decode(stderr)).filter(({ at }) => at >= began);
  const lives = livesOf(watch.events, new Map(), recording);
  report(lives, keys.events, live);

  const account = accountFor(recording);
  const { lateness } = paceOf(recording);
  console.log(
    `\n${account.sent.GET + account.sent.POST} requests at ${rate}/s, ${failed(account)} failed, ` +
      `${account.slow} slower than 0.5 s; answers p50 ${account.latency?.p50.toFixed(1)}, ` +
      `p99 ${account.latency?.p99.toFixed(1)} ms; generator late p99 ${
        lateness?.p99.toFixed(1)
      } ms; ` +
      `${live.length} reloads`,
  );
  for (const { kind, method, count } of account.failures) {
    console.log(`${kind} ${method}: ${count}`);
  }
} finally {
  for (const name of names) await docker("rm", "-f", name).catch(() => {});
  await stack.down();
}

/** The steps of every start and every stop, as a table. */
function report(lives: readonly Life[], keys: readonly KeyEvent[], live: readonly WentLive[]) {
  const steps = new Map<string, number[]>();
  const add = (name: string, ms: number) => {
    if (!Number.isNaN(ms)) steps.set(name, [...steps.get(name) ?? [], ms]);
  };
  // How many instances stand in etcd after each change. The first two stay; a key may be put again.
  const there = new Set<string>();
  const coming = keys.filter(({ key }) => !names.slice(0, 2).some((name) => key.includes(name)));
  const changes = coming.map((event) => {
    if (event.deleted) there.delete(event.key);
    else there.add(event.key);
    return { ...event, count: 2 + there.size };
  });
  const byKey = Map.groupBy(changes, ({ key }) => key);
  for (const { id, started, firstAnswer, killed, lastSent } of lives) {
    const name = nameOf.get(instanceOf(id)) ?? "?";
    const own = [...byKey].find(([key]) => key.includes(name))?.[1] ?? [];
    if (started !== undefined && firstAnswer !== undefined) {
      const put = own.find(({ deleted, at }) => !deleted && at >= started);
      const went = put && live.find(({ at, instances }) => at >= put.at && instances >= put.count);
      if (put && went) {
        add(
          "start: Docker's event → key in etcd (it listens, is inspected, is probed)",
          put.at - started,
        );
        add("start: key → taken up (etcd, confd renders)", went.began - put.at);
        add("start: wait for the reload before", went.waitMs);
        add("start: check (`nginx -t`)", went.checkMs);
        add("start: reload, until new workers answer", went.reloadMs);
        add("start: new workers → first answer a client gets", firstAnswer - went.at);
        add("**start → first answer**", firstAnswer - started);
      }
    }
    if (killed !== undefined && lastSent !== undefined) {
      const gone = own.find(({ deleted, at }) => deleted && at >= killed);
      const went = gone &&
        live.find(({ at, instances }) => at >= gone.at && instances <= gone.count);
      if (gone && went) {
        add("stop: Docker's kill event → key gone", gone.at - killed);
        add("stop: key gone → taken up (etcd, confd renders)", went.began - gone.at);
        add("stop: wait for the reload before", went.waitMs);
        add("stop: check (`nginx -t`)", went.checkMs);
        add("stop: reload, until new workers answer", went.reloadMs);
        add("stop: new workers → last request sent to it", lastSent - went.at);
        add("**kill event → last request**", Math.max(0, lastSent - killed));
      }
    }
  }
  // The two of a cycle: each put of one is followed by the other's.
  const puts = coming.filter(({ deleted }) => !deleted);
  for (const [i, { at }] of puts.entries()) {
    const before = puts[i - 1];
    if (before && at - before.at < 500) {
      add("between the keys of two started at once", at - before.at);
    }
  }
  const rows = [...steps].map(([name, values]) => [name, ...percentiles(values)]);
  console.log(markdownTable([["step, ms", ...PERCENTILES], ...rows]));
}
