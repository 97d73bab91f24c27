// Where the edge reaches a port: the shared network, the host, or what a label says.
import assert from "node:assert/strict";
import { attached, sampleContainer } from "../docker/sample_container.ts";
import type { Container, Port, Publication } from "../instance.ts";
import { endpointOf, type Reach, reachablePorts } from "./endpoint_of.ts";

const HTTP: Port = { number: 80, protocol: "tcp" };
const HOST: Partial<Container> = { networkMode: "host", networks: [attached("host", "")] };

function on(address: string, hostPort: number, port = HTTP): Publication {
  return { port, address, hostPort };
}

/** As `address port`, or the reason why there is none. */
function where(
  container: Partial<Container>,
  reach: Partial<Reach> = {},
  wanted?: string,
): string {
  try {
    const { address, port } = endpointOf(sampleContainer(container), HTTP, wanted, {
      networks: ["edge"],
      ...reach,
    });
    return `${address} ${port}`;
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test("endpointOf() takes the address on the shared network, IPv6 where there is no other", () => {
  assert.equal(where({}), "172.20.0.5 80");
  assert.equal(where({ networks: [attached("edge", "fd00::5")] }), "fd00::5 80");
  assert.equal(where({}, { ip: "192.0.2.7" }), "172.20.0.5 80"); // -ip is for what is reached at the host
});

Deno.test("endpointOf() takes the host's address for network_mode: host, -ip before what Docker knows", () => {
  assert.equal(where(HOST, { hostAddress: "172.20.0.1" }), "172.20.0.1 80");
  assert.equal(where(HOST, { hostAddress: "172.20.0.1", ip: "192.0.2.7" }), "192.0.2.7 80");
  assert.equal(where(HOST, { published: true, ip: "2001:db8::7" }), "2001:db8::7 80");
  assert.match(where(HOST), /host's address, which is not known\. Set ROLLCALL_IP .* network edge/);
  // Who asks for a network gets no other address instead.
  assert.match(where(HOST, { ip: "192.0.2.7" }, "edge"), /^SERVICE_NETWORK 'edge': the container/);
});

Deno.test("endpointOf() says what to do for containers without a network of their own", () => {
  assert.match(
    where({ networkMode: "container:abc", networks: [] }),
    /another container's network .* Give that one its labels, with SERVICE_<port>_NAME/,
  );
  assert.match(
    where({ networkMode: "none", networks: [] }),
    /^It has no network \(network_mode: no/,
  );
});

Deno.test("endpointOf() with published ports takes the host's port, and -ip whatever address it is bound to", () => {
  const published = [on("0.0.0.0", 32769), on("::", 32768)];
  const rules = { published: true, hostAddress: "172.20.0.1" };
  assert.equal(where({ published }, rules), "172.20.0.1 32769");
  assert.equal(where({ published }, { ...rules, ip: "192.0.2.7" }), "192.0.2.7 32769");
  // Docker may give the two families two numbers: the one of our family is meant.
  assert.equal(where({ published }, { ...rules, ip: "2001:db8::7" }), "2001:db8::7 32768");
  assert.equal(
    where({ published: [on("::", 8080)] }, { published: true, ip: "192.0.2.7" }),
    "192.0.2.7 8080",
  );
  assert.equal(where({ published: [on("10.1.2.3", 80)] }, rules), "10.1.2.3 80");
  assert.equal(
    where({ published: [on("10.1.2.3", 80)] }, { ...rules, ip: "192.0.2.7" }),
    "192.0.2.7 80",
  );
  assert.equal(where({ published: [on("2001:db8::9", 80)] }, rules), "2001:db8::9 80");
});

Deno.test("endpointOf() takes the lowest of several numbers, whatever order Docker lists them in", () => {
  const both = [on("0.0.0.0", 8081), on("0.0.0.0", 8080)];
  for (const published of [both, both.toReversed()]) {
    assert.equal(where({ published }, { published: true, ip: "192.0.2.7" }), "192.0.2.7 8080");
  }
});

Deno.test("endpointOf() refuses a port that is published for the host itself only, or not at all", () => {
  const rules = { published: true, ip: "192.0.2.7" };
  assert.match(
    where({ published: [on("127.0.0.1", 8080)] }, rules),
    /^Its port 80 is published on 127\.0\.0\.1 only, where nginx cannot reach it\./,
  );
  assert.match(where({}, rules), /^Its port 80 is not published\. Add it to the `ports:`/);
  assert.match(where({ published: [on("0.0.0.0", 80)] }, { published: true }), /Set ROLLCALL_IP/);
});

Deno.test("endpointOf() believes the label that -useIpFromLabel names before everything else", () => {
  const label = { addressLabel: "net.ip" };
  const labels = { "net.ip": "10.9.8.7/24" };
  assert.equal(where({ labels }, label), "10.9.8.7 80");
  assert.equal(where({ labels, networks: [], networkMode: "none" }, label), "10.9.8.7 80");
  assert.equal(where({ labels }), "172.20.0.5 80");
  assert.equal(where({}, label), "172.20.0.5 80"); // no such label: as usual
  assert.equal(
    where({ labels, published: [on("127.0.0.1", 81), on("::", 8080)] }, {
      ...label,
      published: true,
    }),
    "10.9.8.7 8080",
  );
  assert.match(
    where({ labels: { "net.ip": "127.0.0.1" } }, label),
    /^Its label net\.ip '127\.0\.0\.1' is not the address of a container \(as 10\.0\.0\.5\)\.$/,
  );
  assert.equal(where({}, { addressLabel: "constructor" }), "172.20.0.5 80");
});

Deno.test("reachablePorts() are all without `published` and on the host's network, else the published ones", () => {
  const ports: Port[] = [HTTP, { number: 53, protocol: "tcp" }, { number: 53, protocol: "udp" }];
  const published = [on("0.0.0.0", 5300, { number: 53, protocol: "udp" })];
  const found = (change: Partial<Container>, published: boolean) =>
    reachablePorts(sampleContainer(change), ports, { networks: [], published });
  assert.deepEqual(found({ published }, false), ports);
  assert.deepEqual(found({ published }, true), [ports[2]]);
  assert.deepEqual(found(HOST, true), ports);
});
