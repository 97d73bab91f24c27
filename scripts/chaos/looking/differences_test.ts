import assert from "node:assert/strict";
import { differences } from "./differences.ts";
import type { Look } from "./look.ts";
import { edgeOf } from "./look.ts";
import { NETWORK, sampleInstance, sampleKeys, sampleLook } from "./sample_look.ts";

const found = (look: Partial<Look>) => differences(sampleLook(0, look), NETWORK).join("\n");

Deno.test("differences() finds none when all agree", () => {
  assert.equal(found({}), "");
});

Deno.test("differences() compares nginx with who runs, both ways", () => {
  const servers = new Set(["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.9:8080"]);
  const text = found({ edge: { generation: "g", written: "g", servers } });
  assert.match(text, /10\.0\.0\.9:8080, and nobody runs there/);
  assert.match(text, /does not have 10\.0\.0\.3:8080/);
});

Deno.test("differences() compares keys and statuses with who runs, both ways", () => {
  const all = [1, 2, 3].map((number) => sampleInstance(number));
  assert.match(found({ keys: sampleKeys(all.slice(0, 2)) }), /test-service-3 runs and has no key/);
  const more = sampleKeys([...all, sampleInstance(9)]);
  assert.match(found({ keys: more }), /left over: \/services\/service\/h:test-service-9:8080/);
  assert.match(found({ keys: more }), /left over: \/rollcall\/status\/h\/id9/);
  const moved = sampleKeys([
    ...all.slice(0, 2),
    sampleInstance(3, { addresses: new Map([[NETWORK, "10.0.0.8"]]) }),
  ]);
  assert.match(found({ keys: moved }), /left over: .* at 10\.0\.0\.8:8080/);
});

Deno.test("differences() wants a voucher, answers, and containers that run", () => {
  assert.match(
    found({ keys: sampleKeys([1, 2, 3].map((n) => sampleInstance(n))).slice(0, -1) }),
    /vouches/,
  );
  assert.match(found({ keys: undefined }), /etcd does not answer/);
  assert.match(found({ edge: undefined }), /nginx does not answer/);
  assert.match(found({ passing: new Set(["id1", "id2"]) }), /test-service-3 runs and is not ready/);
  const others = [sampleInstance(7, { name: "test-etcd-1", service: "etcd", state: "restarting" })];
  assert.match(found({ others }), /test-etcd-1 is restarting/);
});

Deno.test("edgeOf() reads the generation and the servers of the service, backups once", () => {
  const text = `# generation abc
    upstream junk-1 {
        server 10.0.0.9:1 max_fails=1 fail_timeout=1s; server 10.0.0.9:1 max_fails=0 backup;
    }
    upstream service {
        server 10.0.0.1:8080 max_fails=1 fail_timeout=1s; server 10.0.0.1:8080 max_fails=0 backup;
        server 10.0.0.2:8080 weight=2 max_fails=1 fail_timeout=1s;
        zone service 386k;
    }
`;
  const { generation, written, servers } = edgeOf(text, "abc\n");
  assert.deepEqual([generation, written], ["abc", "abc"]);
  assert.deepEqual([...servers], ["10.0.0.1:8080", "10.0.0.2:8080"]);
});
