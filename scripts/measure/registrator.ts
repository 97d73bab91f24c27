// Measures how soon etcd follows containers that start and are killed, for docs/measurements.md, and prints it as Markdown.
// Usage: deno run -A scripts/measure/registrator.ts [--rounds 200] [--rate 0: requests/s through the edge meanwhile]
//        [--steps: where the time of a kill goes, by the registrator's log, whose clock ticks once a millisecond]
// Times are Docker's own (of events), of a watch on etcd, and of connecting once a millisecond; all of one clock.
import { parseArgs } from "node:util";
import { delay } from "../../discovery/delay.ts";
import { testImage } from "../../discovery/test_image.ts";
import { accountFor, failed } from "../bench/measure/account.ts";
import { paceOf } from "../bench/measure/pace.ts";
import { summarize } from "../bench/measure/statistics.ts";
import { type ContainerEvent, EventWatch } from "../bench/stack/events.ts";
import { Stack } from "../e2e/stack.ts";
import { docker, eventually } from "../testing/docker.ts";
import { EtcdWatch } from "./edge/etcd_watch.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    rate: { type: "string", default: "0" },
    steps: { type: "boolean", default: false },
  },
});
const [rounds, rate] = [Number(values.rounds), Number(values.rate)] as const;
const NGINX = testImage("NGINX_IMAGE", "nginx:1.30");
/** An instance that listens at once, answers as the bundled service does, and ends at once. */
const NGINX_CONF = new URL("../bench/subjects/light/nginx.conf", import.meta.url).pathname;
const COMPOSE_FILE = new URL("../../compose.yaml", import.meta.url).pathname;

const dockerd = Deno.createHttpClient({
  proxy: { transport: "unix", path: Deno.env.get("DOCKER_SOCKET") || "/var/run/docker.sock" },
});
/** Rounds at the beginning that are not counted: nobody has warmed up. */
const WARM_UP = 3;

const now = () => performance.timeOrigin + performance.now();

/** One container from its start to its end; times in ms since 1970. */
interface Round {
  readonly name: string;
  readonly started: number;
  readonly connected: number;
  readonly registered: number;
  readonly killed: number;
  readonly deregistered: number;
  /** Connects that failed before one succeeded; none: it listened before we looked. */
  readonly refused: number;
}

// The address has to be known before the container runs: asking Docker for it would take longer than the start.
const subnet = `10.${200 + Math.floor(Math.random() * 50)}.${Math.floor(Math.random() * 256)}`;
const address = `${subnet}.200`;
const override = await Deno.makeTempFile({ prefix: "rollcall-measure-", suffix: ".yaml" });
await Deno.writeTextFile(
  override,
  `networks: {edge: {ipam: {config: [{subnet: ${subnet}.0/24}]}}}\n`,
);
const level = values.steps ? { ROLLCALL_LOG_LEVEL: "debug" } : {};
const stack = new Stack({ COMPOSE_FILE: `${COMPOSE_FILE}:${override}`, ...level });

let heard: (event: ContainerEvent) => void = () => {};

try {
  await stack.compose("up", "-d", "--build", "--scale", "service=3");
  await eventually(() => stack.answering(1), { within: 60_000 });
  const network = `(index .NetworkSettings.Networks "${stack.project}_control")`;
  const etcd = await docker("inspect", "--format", `{{${network}.IPAddress}}`, stack.name("etcd"));
  const keys = await EtcdWatch.open(`http://${etcd.trim()}:2379`, "/services/");
  const events = new EventWatch(stack.project, Date.now(), (event) => heard(event));
  const load = rate > 0 ? await stack.load(rate, 3, { freshShare: 0 }) : undefined;
  const found: Round[] = [];
  for (let i = 0; i < rounds + WARM_UP; i++) {
    const measured = await round(keys, `${stack.project}-measured-${i}`);
    if (i >= WARM_UP) found.push(measured);
  }
  await events.stop();
  keys.stop();
  const meanwhile = rate > 0 ? `, under ${rate} requests/s` : "";
  const figure = (what: string, times: readonly number[]) =>
    row(`${what}, ${times.length} times${meanwhile}`, times);
  console.log([
    "| what | ms: p50 / p95 / p99 / max |",
    "| --- | --- |",
    figure("kill event → key gone", found.map(({ killed, deregistered }) => deregistered - killed)),
    figure(
      "first successful connect → key there",
      found.map(({ connected, registered }) => registered - connected),
    ),
    figure("start event → key there", found.map(({ started, registered }) => registered - started)),
    ...(values.steps ? await steps(found) : []),
  ].join("\n"));
  const early = found.filter(({ refused }) => refused === 0).length;
  if (early > 0) console.error(`${early} of ${rounds} listened before the first connect`);
  if (load) {
    const recording = await load.stop();
    const account = accountFor(recording);
    console.log(`\n${failed(account)} of ${account.sent.GET} requests failed`);
    const { invalid } = paceOf(recording);
    if (invalid) console.error(invalid);
    if (failed(account) > 0) console.error(account.failures);
  }
} finally {
  await stack.down();
  await Deno.remove(override);
}
Deno.exit(0); // grpc-js may leave timers behind

/** From Docker's kill event to the registrator, from there to etcd's answer, from there to whoever watches. */
async function steps(rounds: readonly Round[]): Promise<string[]> {
  const heard = new Map<string, number>();
  const answered = new Map<string, number>();
  const text = await stack.compose("logs", "--no-log-prefix", "registrator");
  for (const line of text.split("\n")) {
    if (!line.startsWith("{")) continue;
    const { time, event, action, container, key } = JSON.parse(line);
    if (event === "docker event" && action === "kill") heard.set(container, Date.parse(time));
    if (event === "deregistered") answered.set(key.split(":")[1], Date.parse(time));
  }
  const parts = rounds.map(({ name, killed, deregistered }) => {
    const [at, done] = [heard.get(name)!, answered.get(name)!];
    return { hears: at - killed, writes: done - at, watched: deregistered - done };
  });
  return [
    row("kill event → the registrator has heard it", parts.map(({ hears }) => hears)),
    row("heard → etcd has answered the write", parts.map(({ writes }) => writes)),
    row("answered → a watch on etcd tells it", parts.map(({ watched }) => watched)),
  ];
}

/** A row of the table. */
function row(what: string, times: readonly number[]): string {
  const { p50, p95, p99, max } = summarize(times)!;
  return `| ${what} | ${[p50, p95, p99, max].map((ms) => ms.toFixed(1)).join(" / ")} |`;
}

async function round(keys: EtcdWatch, name: string): Promise<Round> {
  await docker(
    ...["create", "--name", name, "--network", `${stack.project}_edge`, "--ip", address],
    ...["--label", `com.docker.compose.project=${stack.project}`, "--expose", "8080"],
    ...["--label", "SERVICE_80_IGNORE=true", "--label", "SERVICE_8080_NAME=service"],
    ...["--volume", `${NGINX_CONF}:/etc/nginx/nginx.conf:ro`, "--entrypoint", "nginx"],
    ...[NGINX, "-g", "daemon off;"],
  );
  const started = Promise.withResolvers<number>();
  const killed = Promise.withResolvers<number>();
  heard = ({ action, at }) => {
    if (action === "start") started.resolve(at);
    if (action === "kill") killed.resolve(at);
  };
  const connecting = started.promise.then(connects);
  await post(`/containers/${name}/start`);
  const { connected, refused } = await connecting;
  const registered = await changed(keys, name, true);
  await delay(150); // the edge has followed: what is measured next starts from rest
  await post(`/containers/${name}/kill`);
  const deregistered = await changed(keys, name, false);
  await docker("rm", name);
  return {
    name,
    started: await started.promise,
    connected,
    refused,
    registered,
    killed: await killed.promise,
    deregistered,
  };
}

/** Tells dockerd by itself: the Docker client would be a process that starts and ends just when time is taken. */
async function post(path: string): Promise<void> {
  const response = await fetch(`http://docker${path}`, { method: "POST", client: dockerd });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`Cannot POST ${path}: status is ${response.status}`);
}

/** When the address first took a connection. */
async function connects(): Promise<{ connected: number; refused: number }> {
  for (let refused = 0; refused < 10_000; refused++) {
    try {
      const connection = await Deno.connect({ hostname: address, port: 8080 });
      const connected = now();
      connection.close();
      return { connected, refused };
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await delay(1);
    }
  }
  throw new Error(`Cannot connect to ${address}: refused 10,000 times`);
}

/** When the key of this container came, or went. */
function changed(keys: EtcdWatch, name: string, there: boolean): Promise<number> {
  return eventually(() => {
    const change = keys.events.find(({ key, deleted }) =>
      key.includes(`:${name}:`) && deleted !== there
    );
    if (!change) throw new Error(`the key of ${name} has not ${there ? "come" : "gone"}`);
    return change.at;
  }, { every: 5 });
}
