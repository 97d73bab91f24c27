// The keys that drain and undrain write, and what they wait for.
import assert from "node:assert/strict";
import { UsageError } from "./context.ts";
import { drain, undrain } from "./drain.ts";
import { NOW, sampleContext, SampleRegistry } from "./sample.ts";

/** A registry beside which a registrator acts `after` looks at the statuses. */
function acting(after: number): SampleRegistry {
  const registry = new SampleRegistry().instance("web", "web-1", "up").instance(
    "web",
    "web-2",
    "up",
  );
  const list = registry.list.bind(registry);
  let looks = 0;
  registry.list = async (prefix) => {
    if (prefix === "/" && ++looks > after) {
      const drained = (await list("/rollcall/drain/h/web-1")).size > 0;
      registry.instance(
        "web",
        "web-1",
        drained ? "draining" : "up",
        drained ? { byHand: true } : {},
      );
    }
    return await list(prefix);
  };
  return registry;
}

Deno.test("drain() writes a key on no lease and tells when the registrator has acted", async () => {
  const registry = acting(3);
  const { context, text, warnings } = sampleContext(registry);
  assert.equal(await drain(["web-1"], { reason: "new disk" }, context), 0);
  const entry = (await registry.list("/rollcall/drain/")).get("/rollcall/drain/h/web-1");
  assert.deepEqual([JSON.parse(entry!.value), entry!.lease], [
    { since: new Date(NOW).toISOString(), reason: "new disk" },
    "0",
  ]);
  assert.match(text(), /^web-1 is out of rotation after \d+ ms\.\n$/);
  assert.equal(warnings(), "");
});

Deno.test("drain() exits 1 when the registrator does not act, and says that the key is written", async () => {
  const { context, warnings } = sampleContext(acting(Infinity));
  assert.equal(await drain(["web-1"], {}, context), 1);
  assert.match(warnings(), /The registrator of h has not acted for web-1\. The key is written/);
});

Deno.test("drain() warns when nobody is left in rotation", async () => {
  const { context, warnings } = sampleContext(acting(Infinity));
  await drain(["web-1", "web-2"], {}, context);
  assert.match(warnings(), /No other instance of web is in rotation/);
});

Deno.test("undrain() deletes the key, also one of a container that is gone", async () => {
  const registry = acting(3).drain("web-1").drain("gone");
  registry.instance("web", "web-1", "draining", { byHand: true });
  const { context, text } = sampleContext(registry);
  assert.equal(await undrain(["web-1", "gone"], {}, context), 0);
  assert.equal((await registry.list("/rollcall/drain/")).size, 0);
  assert.match(text(), /gone is forgotten/);
  assert.match(text(), /web-1 is not drained any more after \d+ ms; it is up\./);
});

Deno.test("drain() and undrain() refuse what they cannot tell, and write nothing", async () => {
  const registry = acting(Infinity).instance("web", "web-1", "up", { host: "h2" });
  registry.applied.length = 0;
  const { context } = sampleContext(registry);
  await assert.rejects(drain(["web-9"], {}, context), /There is no container 'web-9'/);
  await assert.rejects(drain(["web-1"], {}, context), /web-1 on h, web-1 on h2\. Say which/);
  await assert.rejects(drain(["web-2"], { host: "h2" }, context), UsageError);
  await assert.rejects(undrain(["web-2"], {}, context), /web-2 is not drained by hand/);
  await assert.rejects(drain(["web-2"], { reason: "x".repeat(201) }, context), UsageError);
  assert.equal(registry.applied.length, 0);
});
