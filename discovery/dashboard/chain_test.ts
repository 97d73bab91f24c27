import assert from "node:assert/strict";
import { chainOf, type Facts } from "./chain.ts";
import { readDashboardSettings } from "./settings.ts";

const WELL: Facts = {
  etcd: { took: 0.4 },
  hosts: [{ host: "vm", version: "0.1.0", left: 12 }],
  registrator: { docker: true, etcd: true },
  edge: { generation: "a".repeat(64) },
  behind: { missing: 0, extra: 0, since: 0 },
  wanted: 3,
};

function health(more: Partial<Facts>): Record<string, string> {
  return Object.fromEntries(
    chainOf({ ...WELL, ...more }).map(({ name, health }) => [name, health]),
  );
}

Deno.test("chainOf() names the one link that is broken, and does not blame those behind it", () => {
  const well = { docker: "ok", registrator: "ok", etcd: "ok", confd: "ok", nginx: "ok" };
  assert.deepEqual(health({}), well);
  assert.deepEqual(health({ registrator: { docker: false, etcd: true } }), {
    ...well,
    docker: "broken",
  });
  assert.deepEqual(health({ etcd: { error: "no answer", took: undefined } }), {
    ...well,
    ...{ registrator: "unknown", etcd: "broken", confd: "unknown" },
  });
  assert.deepEqual(health({ hosts: [] }), { ...well, registrator: "broken", confd: "unknown" });
  assert.deepEqual(health({ hosts: [{ host: "vm", version: "1", left: 2 }] }), {
    ...well,
    registrator: "warning",
  });
  assert.deepEqual(health({ edge: { error: "refused", generation: undefined } }), {
    ...well,
    ...{ confd: "unknown", nginx: "broken" },
  });
  assert.deepEqual(health({ behind: { missing: 1, extra: 0, since: 900 } }), well);
  assert.deepEqual(health({ behind: { missing: 1, extra: 0, since: 6_000 } }), {
    ...well,
    confd: "warning",
  });
});

Deno.test("readDashboardSettings() has defaults, and names everything that is wrong", () => {
  assert.deepEqual(readDashboardSettings([], { ROLLCALL_PORT: "" }), {
    etcd: ["http://etcd:2379"],
    ...{ etcd_ca: "", etcd_cert: "", etcd_key: "" },
    edge: "http://nginx:8081",
    registrator: undefined,
    port: 8080,
    log_level: "info",
  });
  assert.throws(
    () => readDashboardSettings(["x"], { ROLLCALL_EDGE: "ftp://x", ROLLCALL_TTL: "3" }),
    /3 wrong setting.*'x': not expected.*ROLLCALL_EDGE: 'ftp:\/\/x'.*ROLLCALL_TTL: there is no/s,
  );
});
