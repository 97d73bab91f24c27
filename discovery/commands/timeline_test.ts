// Changes between two looks, and the steps that led to them.
import assert from "node:assert/strict";
import type { ContainerEvent } from "../docker/events.ts";
import { Awaiting, PATIENCE } from "./awaiting.ts";
import { readView } from "./context.ts";
import { NOW, SampleRegistry, SINCE } from "./sample.ts";
import { Timeline } from "./timeline.ts";
import { jsonOf, lineOf } from "./watch.ts";

const DECIDED = Date.parse(SINCE);

function event(action: "start" | "die" | "pause", ms: number): ContainerEvent {
  return { id: "id-web-1", name: "web-1", at: BigInt(ms) * 1_000_000n, action };
}

Deno.test("Timeline tells who came, with the ms from Docker's event to the key, and who went", async () => {
  const registry = new SampleRegistry();
  const timeline = new Timeline("h");
  assert.deepEqual(timeline.saw(await readView(registry), NOW), []);
  timeline.heard(event("start", DECIDED - 400));
  const [start] = timeline.saw(
    await readView(registry.instance("web", "web-1", "starting")),
    DECIDED + 5,
  );
  assert.deepEqual([start!.from, start!.to, start!.traffic], [undefined, "starting", "same"]);
  const [change, ...more] = timeline.saw(
    await readView(registry.instance("web", "web-1", "up")),
    DECIDED + 20,
  );
  assert.equal(more.length, 0);
  assert.deepEqual([change!.from, change!.to, change!.traffic], ["starting", "up", "in"]);
  assert.deepEqual(change!.steps, [
    { name: "start", after: 0 },
    { name: "decided", after: 400 },
    { name: "in etcd", after: 420 },
  ]);
  const terminal = { colours: false, width: () => Infinity };
  assert.match(
    lineOf(change!, terminal),
    /^\d\d:\d\d:\d\d\.\d{3} \+ {2}web {2}web-1:80 {2}up {2}start, decided \+400 ms, in etcd \+420 ms {2}It says so\.$/,
  );
  assert.equal(lineOf(change!, { colours: false, width: () => 30 }).length, 30);
  assert.equal(JSON.parse(jsonOf(change!)).traffic, "in");
  assert.deepEqual(timeline.saw(await readView(registry), NOW), []);

  timeline.heard({
    id: "id-web-1",
    name: "web-1",
    at: BigInt(NOW) * 1_000_000n,
    action: "kill",
    signal: 15,
  });
  timeline.heard(event("die", NOW + 10)); // not what set it in motion
  const [gone] = timeline.saw(await readView(new SampleRegistry()), NOW + 30);
  assert.deepEqual([gone!.to, gone!.traffic], ["gone", "out"]);
  assert.deepEqual(gone!.steps, [{ name: "SIGTERM", after: 0 }, { name: "in etcd", after: 30 }]);
});

Deno.test("Timeline gives no figures where another host's clock, or an older life, is in them", async () => {
  const registry = new SampleRegistry();
  const timeline = new Timeline("elsewhere");
  timeline.saw(await readView(registry), NOW);
  const [remote] = timeline.saw(await readView(registry.instance("web", "web-1", "up")), NOW);
  assert.deepEqual(remote!.steps, []);
  const late = new Timeline("h");
  late.saw(await readView(new SampleRegistry()), NOW);
  late.heard(event("pause", NOW)); // after what the registrator decided
  assert.deepEqual(late.saw(await readView(registry), NOW + 5)[0]!.steps, []);
});

Deno.test("Timeline counts from the decision where no event set it in motion", async () => {
  const registry = new SampleRegistry().instance("web", "web-1", "up");
  const timeline = new Timeline("h");
  timeline.saw(await readView(registry), NOW);
  const [change] = timeline.saw(
    await readView(registry.instance("web", "web-1", "unhealthy")),
    DECIDED + 9,
  );
  assert.equal(change!.traffic, "out");
  assert.deepEqual(change!.steps, [{ name: "decided", after: 0 }, { name: "in etcd", after: 9 }]);
});

Deno.test("Awaiting adds the step to nginx when nginx has it, or has it no more", async () => {
  const registry = new SampleRegistry();
  const timeline = new Timeline("h");
  timeline.saw(await readView(registry), NOW);
  timeline.heard(event("start", DECIDED - 400));
  const [came] = timeline.saw(
    await readView(registry.instance("web", "web-1", "up")),
    DECIDED + 20,
  );
  const live = (at: number, ...addresses: readonly string[]) => ({
    ...{ generation: "g", at, addresses: new Set(addresses), leftOut: new Map(), newer: false },
  });
  const awaiting = new Awaiting();
  awaiting.add(came!);
  assert.deepEqual(awaiting.settle(live(DECIDED - 900), DECIDED + 30), []);
  const swapped = { ...live(DECIDED - 900, "172.20.0.5:80"), newer: true }; // and not live yet
  assert.deepEqual(awaiting.settle(swapped, DECIDED + 50), []);
  const [arrived] = awaiting.settle(live(DECIDED + 60, "172.20.0.5:80"), DECIDED + 90);
  assert.deepEqual(arrived!.steps.at(-1), { name: "live", after: 460 });
  awaiting.add(came!); // seen in etcd only when it was live already
  const [soon] = awaiting.settle(live(DECIDED + 10, "172.20.0.5:80"), DECIDED + 90);
  assert.deepEqual(soon!.steps.map(({ after }) => after), [0, 400, 410, 410]);
  assert.equal(awaiting.any, false);

  timeline.heard({ ...event("pause", DECIDED + 1_000) });
  const [left] = timeline.saw(
    await readView(registry.instance("web", "web-1", "paused")),
    DECIDED + 1_010,
  );
  assert.equal(left!.address, "172.20.0.5:80"); // though its key is gone
  awaiting.add(left!);
  assert.deepEqual(
    awaiting.settle(live(DECIDED + 60, "172.20.0.5:80"), DECIDED + 1_020),
    [],
  );
  assert.equal(awaiting.settle(live(DECIDED + 1_030), DECIDED + 1_050).length, 1);
});

Deno.test("Awaiting lets a change go that nginx does not take within seconds, or when nginx is away", async () => {
  const registry = new SampleRegistry();
  const timeline = new Timeline("h");
  timeline.saw(await readView(registry), NOW);
  const [came] = timeline.saw(await readView(registry.instance("web", "web-1", "up")), NOW);
  const live = { generation: "g", at: 0, addresses: new Set<string>(), leftOut: new Map() };
  const awaiting = new Awaiting();
  awaiting.add(came!);
  assert.deepEqual(awaiting.settle({ ...live, newer: false }, NOW + PATIENCE), []);
  assert.deepEqual(awaiting.settle({ ...live, newer: false }, NOW + PATIENCE + 1), [came]);
  awaiting.add(came!);
  assert.deepEqual(awaiting.settle(undefined, NOW), [came]);
});
