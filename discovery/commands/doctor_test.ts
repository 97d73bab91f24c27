// Each link that can break is named, with its remedy.
import assert from "node:assert/strict";
import { MemoryEngine } from "../docker/memory_engine.ts";
import { sampleContainer } from "../docker/sample_container.ts";
import { type Answer, doctor, examine, type Outside, type Question } from "./doctor.ts";
import { NOW, sampleContext, SampleRegistry } from "./sample.ts";

async function sound(change: Partial<Outside> & { registry?: SampleRegistry } = {}) {
  const registry = change.registry ??
    await new SampleRegistry(() => NOW).instance("web", "web-1", "up").vouch();
  const { context, text } = sampleContext(registry);
  const engine = new MemoryEngine(() => NOW);
  engine.start(sampleContainer({ id: "id-web-1", name: "web-1" }));
  const ask = (): Promise<Answer> => Promise.resolve({ kind: "instance" });
  const outside = {
    ...context,
    engine,
    heartbeat: () => Promise.resolve(NOW - 2_000),
    ask,
    ...change,
  };
  return { outside, engine, registry, text };
}

/** The links that are not ok, as `name state`. */
async function ill(outside: Outside): Promise<string> {
  const links = await examine(outside);
  for (const { state, remedy, name } of links) {
    assert.equal(state === "broken", remedy !== undefined, `${name}: a broken link has a remedy`);
  }
  return links.filter(({ state }) => state !== "ok").map(({ name, state }) => `${name} ${state}`)
    .join();
}

Deno.test("doctor() exits 0 on a chain that holds, and 1 on one that does not", async () => {
  const { outside, registry, text } = await sound();
  assert.equal(await ill(outside), "");
  assert.equal(await doctor({}, outside), 0);
  assert.match(text(), /^ok {2}docker {7}answers as h/);
  assert.equal((await registry.list("/")).size, 3); // it leaves nothing behind
  registry.delete("/rollcall/hosts/h");
  assert.equal(await doctor({ json: true }, outside), 1);
});

Deno.test("examine() names docker, its events, and what cannot be seen without it", async () => {
  const { outside, engine } = await sound();
  engine.failure = new Error("Cannot follow events: status is 403");
  assert.equal(await ill(outside), "events broken,keys broken");
  const rules = () => Promise.reject(new Error("Cannot ask Docker"));
  assert.equal(await ill({ ...outside, rules }), "docker broken,events unknown,keys unknown");
});

Deno.test("examine() names etcd: away, or full", async () => {
  const { outside, registry } = await sound();
  registry.failure = new Error("Cannot grant a lease: etcdserver: mvcc: database space exceeded");
  assert.equal(await ill(outside), "etcd broken,voucher unknown,keys unknown,nginx unknown");
  const etcd = (await examine(outside)).find(({ name }) => name === "etcd");
  assert.match(etcd!.remedy!, /disk quota is full/);
});

Deno.test("examine() names a registrator that is stuck, was never well, or is out of sight", async () => {
  const { outside, registry } = await sound();
  const beat = (at: number | undefined) => ({ ...outside, heartbeat: () => Promise.resolve(at) });
  assert.equal(await ill(beat(NOW - 60_000)), "registrator broken");
  assert.equal(await ill(beat(undefined)), "registrator unknown");
  registry.delete("/rollcall/hosts/h");
  assert.equal(await ill(beat(undefined)), "registrator broken,voucher broken");
  registry.put(
    "/rollcall/hosts/h",
    '{"host":"h","version":"1","since":"2026-11-23T03:00:00.000Z"}',
  );
  assert.equal(await ill(outside), "voucher broken"); // on no lease
});

Deno.test("examine() names keys of containers that do not run", async () => {
  const { outside, registry } = await sound();
  registry.instance("web", "web-2", "up");
  assert.equal(await ill(outside), "keys broken");
  registry.instance("web", "web-2", "draining");
  assert.equal(await ill(outside), ""); // on its way out
});

Deno.test("examine() names an nginx that is silent, or serves something else than etcd says", async () => {
  const answer = async (answer: Answer, registry?: SampleRegistry) =>
    await ill(
      (await sound({ ask: () => Promise.resolve(answer), ...(registry ? { registry } : {}) }))
        .outside,
    );
  assert.equal(await answer({ kind: "silent", error: "refused" }), "nginx broken");
  assert.equal(await answer({ kind: "none", status: 503 }), "nginx broken");
  assert.equal(await answer({ kind: "none", status: 502 }), "nginx broken");
  const nobody = await new SampleRegistry(() => NOW).instance("web", "web-1", "starting").vouch();
  assert.equal(await answer({ kind: "none", status: 503 }, nobody), "");
  assert.equal(await answer({ kind: "instance" }, nobody), "nginx broken");
});

Deno.test("examine() asks where nginx has a service: on its routes, else <service>.localhost, and not where another may answer", async () => {
  const asked: string[] = [];
  const ask = ({ host, path }: Question): Promise<Answer> => {
    asked.push(`${host}${path}`);
    return Promise.resolve({ kind: "instance" });
  };
  const route = (host: string, path: string) => ({ routes: [{ host, path }] });
  const registry = await new SampleRegistry(() => NOW).instance(
    "a",
    "a-1",
    "up",
    route("*.x.org", "/api"),
  )
    .instance("b", "b-1", "up", route("", "/b")).instance("C", "c-1", "up")
    .instance("d", "d-1", "starting").vouch();
  await examine((await sound({ registry, ask })).outside);
  assert.deepEqual(asked, ["doctor.x.org/api", "doctor.invalid/b", "c.localhost/"]);
});

Deno.test("doctor() tells until when the certificate is good, and what to do in time", async () => {
  const DAY = 24 * 3_600_000;
  const told = async (certificate: () => Date) => {
    const { outside } = await sound({ certificate });
    return (await examine(outside)).find(({ name }) => name === "certificate");
  };
  const fine = await told(() => new Date(NOW + 30 * DAY));
  assert.equal(fine?.state, "ok");
  assert.match(fine.detail, /^good until \d{4}-\d\d-\d\d$/);
  const soon = await told(() => new Date(NOW + 3 * DAY));
  assert.equal(soon?.state, "unknown");
  assert.match(soon.remedy ?? "", /scripts\/certs/);
  assert.equal((await told(() => new Date(NOW - DAY)))?.state, "broken");
  const unread = await told(() => {
    throw new Error("Cannot read it");
  });
  assert.equal(unread?.state, "broken");
  const { outside } = await sound();
  assert.ok(!(await examine(outside)).some(({ name }) => name === "certificate"));
});
