// An HTTP server that speaks as much of the Engine API as the registrator asks for, with as many containers as one likes. Owns no figure.

/** Everything on 127/8 is this machine: each container has an address of its own, and one listener answers for all. */
const address = (index: number) => `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;

const idOf = (index: number) => (index + 1).toString(16).padStart(64, "0");

/** How its containers are; what is left out is as for one host of one service. */
export interface Containers {
  /** Which compose service a container is of; `web`. */
  readonly service?: (index: number) => string;
  /** Each publishes a port at this address of the machine, and answers there. Else each has an address of its own. */
  readonly published?: string;
}

/** One Docker host. */
export class SimulatedEngine {
  private readonly containers = new Map<string, unknown>();
  private readonly streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  private readonly server: Deno.HttpServer<Deno.NetAddr>;
  private readonly listeners = new Map<string, Deno.TcpListener>();
  private ticks = 0;
  /** When the first list was asked for (`performance.now()`). */
  listedAt = 0;

  constructor(private readonly kind: Containers = {}) {
    this.server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.answer(new URL(request.url).pathname),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.addr.port}`;
  }

  private name(index: number): string {
    return `shop-${this.service(index)}-${index}`;
  }

  private service(index: number): string {
    return this.kind.service?.(index) ?? "web";
  }

  /** A container starts; each index is one, with an id and an address of its own. Returns its name. */
  start(index: number): string {
    const id = idOf(index);
    const { published } = this.kind;
    const port = published ? this.listen(id, published) : this.listen("all", "0.0.0.0");
    const exposed = `${published ? 8080 : port}/tcp`;
    const ports = published ? { [exposed]: [{ HostIp: published, HostPort: `${port}` }] } : {};
    const nano = this.nano();
    const startedAt = new Date(Number(nano / 1_000_000n)).toISOString()
      .replace(/\d{3}Z/, `${String(nano % 1_000_000_000n).padStart(9, "0")}Z`);
    const networks = { edge: { IPAddress: address(index), EndpointID: `${id.slice(1)}e` } };
    this.containers.set(id, {
      Id: id,
      Name: `/${this.name(index)}`,
      State: { Status: "running", Running: true, Paused: false, StartedAt: startedAt },
      Config: {
        Image: "shop/web:1",
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Labels: {
          "com.docker.compose.service": this.service(index),
          "com.docker.compose.project": "shop",
        },
        ExposedPorts: { [exposed]: {} },
        StopSignal: "SIGTERM",
      },
      HostConfig: { NetworkMode: "edge" },
      NetworkSettings: { Networks: networks, Ports: ports },
    });
    this.say(id, "start");
    return this.name(index);
  }

  /** A container is told to stop, ends, and is removed. Returns its name. */
  stop(index: number): string {
    const id = idOf(index);
    this.say(id, "kill", { signal: "15" });
    this.containers.delete(id);
    this.listeners.get(id)?.close();
    this.listeners.delete(id);
    this.say(id, "die");
    return this.name(index);
  }

  async close(): Promise<void> {
    for (const listener of this.listeners.values()) listener.close();
    for (const stream of this.streams) stream.close();
    await this.server.shutdown();
  }

  private say(id: string, Action: string, more: Readonly<Record<string, string>> = {}): void {
    const Attributes = { name: this.name(parseInt(id, 16) - 1), ...more };
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

  /** Accepts connections, as long as `name` is there; returns the port. */
  private listen(name: string, hostname: string): number {
    const listener = this.listeners.get(name) ?? Deno.listen({ hostname, port: 0 });
    if (!this.listeners.has(name)) accept(listener);
    this.listeners.set(name, listener);
    return (listener.addr as Deno.NetAddr).port;
  }
}

async function accept(listener: Deno.TcpListener): Promise<void> {
  try {
    for await (const connection of listener) connection.close();
  } catch {
    // closed
  }
}
