// Measures what clients notice when parts of the edge's world fail, row by row, under load. On an edge and an etcd of
// its own; prints Markdown for docs/measurements.md. What the registrator does is scripts/measure/registrator_faults.ts.
//
//   deno run -A scripts/measure/edge_faults.ts [--rate 500] [--gone 20] [--only TEXT]
//
// `--gone 600`: etcd is away for ten minutes. After each fault one more change is made: it must go live by itself.
import { parseArgs } from "node:util";
import { delay } from "../../discovery/delay.ts";
import { Edge, registration } from "../../nginx/testing/edge.ts";
import { accountFor, failed } from "../bench/measure/account.ts";
import { Load } from "../bench/load/load.ts";
import { docker, eventually } from "../testing/docker.ts";
import { markdownTable } from "./edge/table.ts";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "500" },
    gone: { type: "string", default: "20" },
    only: { type: "string", default: "" },
  },
});
const [rate, gone] = [Number(values.rate), Number(values.gone)];

// A small volume in memory, so that it can be filled.
await using edge = await Edge.build(
  ...["-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=64k,uid=101,gid=101"],
);
await edge.startEtcd();
await edge.start();
await docker("update", "--restart", "unless-stopped", `${edge.name}-edge`);
// Docker empties a volume in memory when nobody has it any more, as while the edge restarts: so somebody keeps it.
await docker(
  ...["run", "-d", "--label", edge.name, "--name", `${edge.name}-keeper`, "--entrypoint", "sleep"],
  ...["--no-healthcheck", "-v", `${edge.name}:/keep`, `${edge.name}-nginx`, "infinity"],
);
const instances = [await edge.instance("a"), await edge.instance("b"), await edge.instance("c")];
/** What the registrator writes, as far as the edge reads it. The third instance comes and goes. */
let third = false;
const write = async () => {
  await edge.put({
    "/services/service/0": registration(instances[0]!),
    "/services/service/1": registration(instances[1]!),
    ...(third && { "/services/service/2": registration(instances[2]!) }),
  });
  if (!third) await edge.delete("/services/service/2");
  await edge.vouch();
};
const isLive = async () => {
  const config = await edge.config();
  if (config.includes(`server ${instances[2]!}:`) !== third) throw new Error("not live");
  if (!config.includes(`server ${instances[0]!}:`)) throw new Error("the others are gone");
  const answer = await edge.exec(
    "curl -sf --unix-socket /run/rollcall/status.sock http://edge/generation",
  );
  if (!config.startsWith(`# generation ${answer.trim()}`)) throw new Error("not loaded");
};
await write();
await eventually(isLive);

/** Each ends when the cause of the fault is over, as Docker's restart policy or the registrator would see to. */
const FAULTS: Readonly<Record<string, () => Promise<unknown>>> = {
  "etcd SIGKILLed, back after 3 s": async () => {
    await edge.docker("kill", "etcd");
    await delay(3_000);
    await edge.docker("start", "etcd");
  },
  "etcd stopped (SIGSTOP) for 10 s": async () => {
    await edge.docker("pause", "etcd");
    await delay(10_000);
    await edge.docker("unpause", "etcd");
  },
  "etcd wiped and recreated empty": async () => {
    await edge.remove("etcd");
    await edge.startEtcd();
    await delay(3_000);
  },
  [`etcd gone for ${gone} s, then empty`]: async () => {
    await edge.remove("etcd");
    await delay(gone * 1_000);
    await edge.startEtcd();
  },
  "confd SIGKILLed": () => edge.exec("kill -KILL $(< /run/rollcall/confd.pid)"),
  "the registrator gone longer than its lease: every key gone for 5 s": async () => {
    await edge.delete("/services/", { prefix: true });
    await edge.delete("/rollcall/", { prefix: true });
    await delay(5_000);
  },
  "the volume full": () =>
    edge.exec("dd if=/dev/zero of=/var/lib/rollcall/fill bs=1k count=64 2>/dev/null || true"),
  "one nginx worker SIGKILLed": () =>
    edge.exec(
      "m=$(< /run/rollcall/nginx.pid); read -r w _ < /proc/$m/task/$m/children; kill -KILL $w",
    ),
  "nginx's master SIGKILLed": () =>
    edge.exec("kill -KILL $(< /run/rollcall/nginx.pid)").catch(() => "killed with it"),
};

const rows = [[
  "fault",
  "failed GET",
  "failed POST",
  "clients saw failures for",
  "next change live after",
]];
for (const [name, cause] of Object.entries(FAULTS)) {
  if (!name.includes(values.only)) continue;
  console.error(name);
  const load = new Load({
    address: { hostname: "127.0.0.1", port: edge.port },
    target: { host: "measure", getPath: "/", postPath: "/", expect: "status" },
    mix: { seed: 1, postShare: 0.2, freshShare: 0.5 },
    ...{ rate, maxRequests: rate * (gone + 120), connections: 50 },
    ...{ maxUnderWay: 500, timeoutMs: 10_000 },
  });
  await delay(1_000);
  await cause();
  third = !third;
  const over = performance.now();
  await eventually(write, { within: 60_000 });
  const live = await eventually(isLive, { within: 60_000, every: 20 }).then(
    () => `${((performance.now() - over) / 1000).toFixed(2)} s`,
    () => "**not within 60 s**",
  );
  await delay(1_000);
  // Only after the change went live: the next fault is not to meet a full volume.
  await edge.exec("rm -f /var/lib/rollcall/fill");
  const recording = await load.stop();
  const account = accountFor(recording);
  const times = [...recording.ending.keys()].filter((i) => recording.ending[i] !== 1)
    .map((i) => recording.intended[i]!);
  const span = times.length === 0 ? "–" : `${((times.at(-1)! - times[0]!) / 1000).toFixed(2)} s`;
  const cells = (["GET", "POST"] as const).map((method) =>
    `${failed(account, { method })} of ${account.sent[method]}`
  );
  rows.push([name, ...cells, span, live]);
  console.error("  ", rows.at(-1)!.slice(1).join(" | "), JSON.stringify(account.failures));
}
console.log(markdownTable(rows));
