// A server that fails on request, and keeps count of it: what the load client is held against. For tests only.

import net from "node:net";
import { once } from "node:events";

/** What the server does with a request instead of answering it properly. */
export type Fault =
  /** Ends the connection with a reset, before any byte. */
  | "reset"
  /** Ends it in order, before any byte. */
  | "close"
  /** Ends it in the middle of the head, or of the body. */
  | "half a head"
  | "half a body"
  | "half a chunk"
  | "503"
  | "404"
  | "garbage"
  /** An answer with another request's body. */
  | "wrong body"
  /** No byte, and the connection stays open. */
  | "silence"
  /** A head, and then nothing. */
  | "stall in the body";

/** A fault that was done, and whether the connection had served a request before. */
export interface Done {
  readonly fault: Fault;
  readonly reused: boolean;
}

/** Ways to send the same proper answer. All of them must count as answered. */
const forms = ["length", "chunked", "until close", "in pieces", "last one", "after 103"] as const;

export class FaultServer {
  readonly done: Done[] = [];
  /** Proper answers that were sent whole. */
  answered = 0;
  connections = 0;
  private arrived = 0;
  private readonly open = new Set<net.Socket>();
  // Node's sockets, as Deno's own cannot send a reset.
  private readonly server = net.createServer({ noDelay: true }, (socket) => this.accept(socket));
  private gate: Promise<void> = Promise.resolve();

  private constructor(private readonly faultFor: (arrival: number) => Fault | undefined) {}

  /** `faultFor` tells what to do with the nth request to arrive; undefined: answer it. */
  static async start(faultFor: (arrival: number) => Fault | undefined = () => undefined) {
    const server = new FaultServer(faultFor);
    server.server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    return server;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** From now on nothing is answered until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    return resolve;
  }

  async close(): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    for (const socket of this.open) socket.destroy();
    await closed;
  }

  private accept(socket: net.Socket): void {
    this.connections++;
    this.open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.open.delete(socket));
    let request = "";
    let served = 0;
    // A client waits for its answer before it sends again, so one request at a time is whole here.
    socket.on("data", (bytes) => {
      request += bytes.toString();
      const [head, body] = request.split("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(head!)?.[1] ?? 0);
      if (body === undefined || body.length < length) return;
      this.serve(socket, request, served++ > 0);
      request = "";
    });
  }

  private async serve(socket: net.Socket, request: string, reused: boolean): Promise<void> {
    const arrival = this.arrived++;
    const fault = this.faultFor(arrival);
    await this.gate;
    if (fault === undefined) return this.answer(socket, request, arrival);
    this.done.push({ fault, reused });
    if (fault === "reset") socket.resetAndDestroy();
    else if (fault === "stall in the body") socket.write(`${ok}Content-Length: 9\r\n\r\n{`);
    else if (ending.has(fault)) socket.end(faulty(fault));
    else if (fault !== "silence") socket.write(faulty(fault));
  }

  private answer(socket: net.Socket, request: string, arrival: number): void {
    const form = forms[arrival % forms.length]!;
    for (const piece of proper(form, request)) socket.write(piece);
    this.answered++;
    if (form === "until close" || form === "last one") socket.end();
  }
}

const ok = "HTTP/1.1 200 OK\r\n";
const ending = new Set<Fault>(["close", "half a head", "half a body", "half a chunk", "garbage"]);

function faulty(fault: Fault): string {
  switch (fault) {
    case "half a head":
      return "HTTP/1.1 200 OK\r\nContent-Le";
    case "half a body":
      return `${ok}Content-Length: 100\r\n\r\n{"instance":`;
    case "half a chunk":
      return `${ok}Transfer-Encoding: chunked\r\n\r\n64\r\n{"instance":`;
    case "garbage":
      return "220 mail.example.org ESMTP\r\n";
    case "503":
    case "404":
      return `HTTP/1.1 ${fault} No\r\nContent-Length: 3\r\n\r\nno\n`;
    case "wrong body":
      return `${ok}X-Instance: one\r\nContent-Length: 18\r\n\r\n{"instance":"two"}`;
    default:
      return "";
  }
}

function* proper(form: typeof forms[number], request: string): Generator<string> {
  const body = request.startsWith("POST") ? request.split("\r\n\r\n")[1]! : '{"instance":"one"}';
  const head = `${ok}X-Instance: one\r\n`;
  const whole = `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  switch (form) {
    case "length":
      return yield whole;
    case "in pieces":
      for (let at = 0; at < whole.length; at += 40) yield whole.slice(at, at + 40);
      return;
    case "chunked": {
      const chunks = [body.slice(0, 5), body.slice(5)];
      const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
      return yield `${head}Transfer-Encoding: chunked\r\n\r\n${text}0\r\n\r\n`;
    }
    case "until close":
      return yield `${head}\r\n${body}`;
    case "last one":
      return yield `${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    case "after 103":
      return yield `HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n${whole}`;
  }
}
