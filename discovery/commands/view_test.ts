// Rows, hosts and drains out of keys.
import assert from "node:assert/strict";
import { readView } from "./context.ts";
import { SampleRegistry } from "./sample.ts";
import { getsTraffic, matching } from "./view.ts";

Deno.test("viewOf() joins status and registration, sorts as people count, and names what is malformed", async () => {
  const registry = await new SampleRegistry().instance("web", "web-10", "up")
    .instance("web", "web-2", "starting").instance("api", "api-1", "up", { weight: 0 }).vouch();
  registry.put("/services/web/broken", "}{");
  registry.put("/rollcall/status/h/x/80", "}{");
  const view = await readView(registry);
  assert.deepEqual(view.rows.map(({ container }) => container), ["api-1", "web-2", "web-10"]);
  const [api, second, tenth] = view.rows;
  assert.deepEqual([api!.weight, getsTraffic(api!)], [0, false]);
  assert.deepEqual([second!.address, second!.key, getsTraffic(second!)], [
    undefined,
    undefined,
    false,
  ]);
  assert.equal(tenth!.address, "172.20.0.5:80");
  assert.equal(tenth!.key, "/services/web/h:web-10:80");
  assert.deepEqual(view.malformed, ["/services/web/broken", "/rollcall/status/h/x/80"]);
  assert.deepEqual(view.hosts.map(({ host, leased }) => [host, leased]), [["h", true]]);
});

Deno.test("viewOf() shows keys that no registrator tells of, and drains that nobody has", async () => {
  const registry = new SampleRegistry().instance("web", "web-1", "up").drain("web-1").drain("gone");
  registry.delete("/rollcall/status/h/id-web-1/80");
  registry.put(
    "/rollcall/hosts/h",
    '{"host":"h","version":"1","since":"2026-11-23T03:00:00.000Z"}',
  );
  const { rows, drains, hosts } = await readView(registry);
  assert.match(rows[0]!.reason, /No registrator tells of it/);
  assert.deepEqual(drains.map(({ container, known }) => [container, known]), [
    ["gone", false],
    ["web-1", true],
  ]);
  assert.equal(hosts[0]!.leased, false);
});

Deno.test("matching() goes by name, instance, and the beginning of an id", async () => {
  const registry = new SampleRegistry().instance("web", "web-1", "up");
  registry.put(
    "/rollcall/status/h/3f9a1c77/80",
    '{"state":"paused","reason":"r","since":"2026-11-23T03:00:00.000Z","container":"web-2"}',
  );
  const { rows } = await readView(registry);
  const found = (text: string) => matching(rows, text).map(({ container }) => container).join();
  assert.deepEqual(
    ["web-1", "h:web-1:80", "3f9a", "3f", "web", ""].map(found),
    ["web-1", "web-1", "web-2", "", "", ""],
  );
});
