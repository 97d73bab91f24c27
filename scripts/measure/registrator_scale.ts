// Measures the registrator with very many containers: the first sync, at rest, and while they come and go.
// Run it: deno run -A scripts/measure/registrator_scale.ts [sync] [rest] [churn]. It needs Docker for an etcd of its own.
import { delay } from "../../discovery/delay.ts";
import { EtcdContainer } from "../../discovery/etcd/etcd_container.ts";
import { eventually } from "../testing/docker.ts";
import { RegistratorProcess } from "./registrator_process.ts";
import { SimulatedEngine } from "./simulated_engine.ts";

const HOST_KEY = "/rollcall/hosts/scale";
const REST_SECONDS = 60;

type Row = readonly [what: string, figure: string];

/** `work` with everything that it needs: an empty etcd, an Engine with `count` containers, and the registrator. */
async function scene<T>(
  count: number,
  work: (
    engine: SimulatedEngine,
    etcd: EtcdContainer,
    registrator: RegistratorProcess,
  ) => Promise<T>,
): Promise<T> {
  const etcd = new EtcdContainer(30_000);
  const engine = new SimulatedEngine();
  let registrator: RegistratorProcess | undefined;
  try {
    await etcd.start();
    for (let i = 0; i < count; i++) engine.start(i);
    registrator = new RegistratorProcess({
      docker: engine.url,
      etcd: etcd.endpoints[0]!,
      host: "scale",
    });
    return await work(engine, etcd, registrator);
  } finally {
    await registrator?.end();
    await engine.close();
    await etcd.end();
  }
}

/** Resolves when the registrator vouches, which it writes after every other key. */
async function synced(etcd: EtcdContainer, count: number): Promise<void> {
  await eventually(async () => {
    if (!(await etcd.registry.list(HOST_KEY)).has(HOST_KEY)) throw new Error("not vouched for");
  }, { within: 120_000, every: 10 });
  const { size } = await etcd.registry.list("/services/");
  if (size !== count) throw new Error(`${size} keys, not ${count}`);
}

async function sync(count: number): Promise<Row[]> {
  const [took, memory, processor] = await scene(count, async (engine, etcd, registrator) => {
    await synced(etcd, count);
    const took = performance.now() - engine.listedAt;
    return [took, registrator.memory, registrator.processor];
  });
  const name = count.toLocaleString("en");
  return [
    [`${name} containers: first list asked for → every key there`, `${(took / 1000).toFixed(2)} s`],
    [`${name} containers: processor time from the start of the process to then`, `${processor} ms`],
    [`${name} containers: memory then`, `${memory} MB`],
  ];
}

async function rest(count: number): Promise<Row[]> {
  return await scene(count, async (_, etcd, registrator) => {
    await synced(etcd, count);
    await delay(10_000);
    const before = registrator.processor;
    await delay(REST_SECONDS * 1000);
    const share = (registrator.processor - before) / REST_SECONDS / 10;
    const name = count.toLocaleString("en");
    return [
      [
        `${name} containers at rest, ${REST_SECONDS} s: processor`,
        `${share.toFixed(2)} % of a core`,
      ],
      [`${name} containers at rest: memory`, `${registrator.memory} MB`],
    ];
  });
}

/** Containers that come and go, a hundred at a time beside a hundred that stay: how much memory that leaves behind. */
async function churn(events: number): Promise<Row[]> {
  const [staying, group, looks] = [100, 100, 10];
  return await scene(staying, async (engine, etcd, registrator) => {
    await synced(etcd, staying);
    const registered = (count: number) =>
      eventually(async () => {
        const { size } = await etcd.registry.list("/services/");
        if (size !== count) throw new Error(`${size} keys, not ${count}`);
      }, { within: 60_000, every: 10 });
    const began = performance.now();
    const memory: number[] = [];
    for (let told = 0, next = staying; told < events; told += 2 * group, next += group) {
      for (let i = next; i < next + group; i++) engine.start(i);
      await registered(staying + group);
      for (let i = next; i < next + group; i++) engine.stop(i);
      await registered(staying);
      if ((told + 2 * group) % (events / looks) === 0) {
        memory.push(registrator.memory);
        console.error(`${told + 2 * group} events: ${registrator.memory} MB`);
      }
    }
    const took = (performance.now() - began) / 1000;
    const statuses = (await etcd.registry.list("/rollcall/status/")).size;
    const name = events.toLocaleString("en");
    return [
      [`${name} starts and stops: memory after each tenth`, `${memory.join(", ")} MB`],
      [
        `${name} starts and stops: took; statuses left of ${staying} instances that stay`,
        `${took.toFixed(0)} s; ${statuses}`,
      ],
    ];
  });
}

const parts: Readonly<Record<string, () => Promise<Row[]>>> = {
  sync: async () => [...await sync(1_000), ...await sync(10_000)],
  rest: () => rest(1_000),
  churn: () => churn(100_000),
};
for (const name of Deno.args.length > 0 ? Deno.args : Object.keys(parts)) {
  const part = parts[name];
  if (!part) {
    throw new Error(`Cannot measure '${name}': there are ${Object.keys(parts).join(", ")}`);
  }
  for (const [what, figure] of await part()) console.log(`| ${what} | ${figure} |`);
}
Deno.exit(0); // grpc-js may leave timers behind
