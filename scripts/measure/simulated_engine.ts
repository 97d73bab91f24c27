// An HTTP server that speaks as much of the Engine API as the registrator asks for, with as many containers as one likes. Owns no figure.

/** Everything on 127/8 is this machine: each container has an address of its own, and one listener answers for all. */
const address = (index: number) => `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;

const idOf = (index: number) => (index + 1).toString(16).padStart(64, "0");

export class SimulatedEngine {
  private readonly containers = new Map<string, unknown>();
  private readonly streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  private readonly server: Deno.HttpServer<Deno.NetAddr>;
  private readonly listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  private ticks = 0;
  /** When the first list was asked for (`performance.now()`). */
  listedAt = 0;

  constructor() {
    this.server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.answer(new URL(request.url).pathname),
    );
    this.accept();
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.addr.port}`;
  }

  /** A container starts; each index is one, with an id and an address of its own. */
  start(index: number): void {
    const id = idOf(index);
    const { port } = this.listener.addr as Deno.NetAddr;
    const nano = this.nano();
    const startedAt = new Date(Number(nano / 1_000_000n)).toISOString()
      .replace(/\d{3}Z/, `${String(nano % 1_000_000_000n).padStart(9, "0")}Z`);
    const networks = { edge: { IPAddress: address(index), EndpointID: `${id.slice(1)}e` } };
    this.containers.set(id, {
      Id: id,
      Name: `/shop-web-${index}`,
      State: { Status: "running", Running: true, Paused: false, StartedAt: startedAt },
      Config: {
        Image: "shop/web:1",
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Labels: { "com.docker.compose.service": "web", "com.docker.compose.project": "shop" },
        ExposedPorts: { [`${port}/tcp`]: {} },
        StopSignal: "SIGTERM",
      },
      HostConfig: { NetworkMode: "edge" },
      NetworkSettings: { Networks: networks, Ports: {} },
    });
    this.say(id, "start");
  }

  /** A container is told to stop, ends, and is removed. */
  stop(index: number): void {
    const id = idOf(index);
    this.say(id, "kill", { signal: "15" });
    this.containers.delete(id);
    this.say(id, "die");
  }

  async close(): Promise<void> {
    this.listener.close();
    for (const stream of this.streams) stream.close();
    await this.server.shutdown();
  }

  private say(id: string, Action: string, more: Readonly<Record<string, string>> = {}): void {
    const Attributes = { name: `shop-web-${parseInt(id, 16) - 1}`, ...more };
    const event = { Type: "container", Action, Actor: { ID: id, Attributes }, scope: "local" };
    const text = JSON.stringify(event).replace(/}$/, `,"timeNano":${this.nano()}}\n`);
    for (const stream of this.streams) stream.enqueue(new TextEncoder().encode(text));
  }

  private nano(): bigint {
    return BigInt(Date.now()) * 1_000_000n + BigInt(++this.ticks % 1_000_000);
  }

  private answer(path: string): Response {
    if (path === "/info") return Response.json({ Name: "simulated" });
    if (path === "/events") return this.follow();
    if (path === "/containers/json") {
      this.listedAt ||= performance.now();
      return Response.json([...this.containers.values()].map((container) => {
        const { Id, Name, NetworkSettings } = container as Record<string, string>;
        return { Id, Names: [Name], State: "running", Status: "Up 5 seconds", NetworkSettings };
      }));
    }
    const container = this.containers.get(path.split("/")[2] ?? "");
    if (container) return Response.json(container);
    return Response.json({ message: "No such container" }, { status: 404 });
  }

  private follow(): Response {
    let stream: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.streams.add(stream = controller);
        controller.enqueue(new TextEncoder().encode("\n")); // Docker sends its headers at once
      },
      cancel: () => void this.streams.delete(stream),
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  }

  private async accept(): Promise<void> {
    try {
      for await (const connection of this.listener) connection.close();
    } catch {
      // closed
    }
  }
}
