// A server in the test's own process, which the edge reaches at the network's gateway: WebSockets that echo, and
// server-sent events. Owns no assertion.
import type { Edge } from "./edge.ts";

/** What speaks to a client for as long as the client stays. */
export class Streaming implements AsyncDisposable {
  private readonly server: Deno.HttpServer<Deno.NetAddr>;

  /** Listens where the containers of `edge` can connect to. */
  static async beside(edge: Edge): Promise<Streaming> {
    return new Streaming(await edge.gateway());
  }

  private constructor(readonly address: string) {
    const onListen = () => {};
    this.server = Deno.serve({ hostname: address, port: 0, onListen }, (request) => {
      return request.headers.get("upgrade") === "websocket" ? echo(request) : ticks();
    });
  }

  get port(): number {
    return this.server.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.shutdown();
  }
}

function echo(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(`echo ${data}`);
  return response;
}

/** An event every 20 ms, numbered. */
function ticks(): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      let n = 0;
      const text = new TextEncoder();
      timer = setInterval(() => controller.enqueue(text.encode(`data: ${n++}\n\n`)), 20);
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
