// A container for tests to start from. Owns nothing that runs in production.
import type { Container, Network } from "../instance.ts";

/** A running container of an image that exposes port 80, on the network `edge`; `change` says what is different. */
export function sampleContainer(change: Partial<Container> = {}): Container {
  const id = change.id ?? "c1";
  return {
    id,
    name: `web-${id}`,
    image: "nginx:1.30",
    running: true,
    paused: false,
    health: "none",
    startedAt: "2026-11-23T02:59:00.000000001Z",
    labels: {},
    env: {},
    exposed: [{ number: 80, protocol: "tcp" }],
    published: [],
    networks: [attached("edge", "172.20.0.5")],
    gateways: { edge: "172.20.0.1" },
    networkMode: "edge",
    stopSignal: 15,
    stopGrace: 10_000,
    ...change,
  };
}

/** Where a container is on a network; another `endpoint` for each start. */
export function attached(name: string, address: string, endpoint = "e1"): Network {
  return { name, address, endpoint };
}
