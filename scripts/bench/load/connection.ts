// One TCP connection that carries one request at a time. Never retries, and hides no end of a connection.

import { type Answer, readAnswer } from "./answer.ts";

/** Where the load goes. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** What a connection needs of a TCP connection; `Deno.TcpConn` has it. */
export interface Transport {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** What became of a request that was put on a connection. */
export type Exchange =
  | { readonly result: "answer"; readonly answer: Answer }
  | { readonly result: "malformed" }
  /** The connection ended first; `bytes` of an answer had come. */
  | { readonly result: "ended"; readonly how: "closed" | "reset"; readonly bytes: number }
  /** We closed it. */
  | { readonly result: "abandoned" };

/** Opens a connection; rejects as `Deno.connect` does, also when the signal fires. */
export async function connect(address: Address, signal: AbortSignal): Promise<Connection> {
  const conn = await Deno.connect({ ...address, signal });
  conn.setNoDelay(true);
  return new Connection(conn);
}

/** Reads all the time, also while idle, so that it knows of its end as soon as anyone can. */
export class Connection {
  /** Requests that were put on it. */
  uses = 0;
  /** Called once, when it can carry no further request. */
  onUnusable: () => void = () => {};
  private usable = true;
  private received = new Uint8Array(0);
  private finish: ((exchange: Exchange) => void) | undefined;
  private lastly: Exchange | undefined;

  constructor(private readonly transport: Transport) {
    this.read();
  }

  /** Sends a request and waits for its end, whatever that is. Never rejects. */
  exchange(request: Uint8Array): Promise<Exchange> {
    if (this.finish) throw new Error("Cannot send: a request is under way on this connection");
    this.uses++;
    if (this.lastly) return Promise.resolve(this.lastly);
    return new Promise((resolve) => {
      this.finish = resolve;
      this.write(request);
    });
  }

  /** Whether another request may be put on it. */
  get idle(): boolean {
    return this.usable && this.finish === undefined;
  }

  close(): void {
    this.end({ result: "abandoned" });
  }

  private async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.transport.write(bytes.subarray(at));
    } catch {
      // An answer may have come before the reset: only when reading finds none, it is an end.
      if (this.received.length === 0) this.broken("reset");
    }
  }

  private async read(): Promise<void> {
    const chunk = new Uint8Array(16 * 1024);
    try {
      while (this.usable) {
        const count = await this.transport.read(chunk);
        if (count === null) return this.broken("closed");
        this.take(chunk.subarray(0, count));
      }
    } catch {
      this.broken("reset");
    }
  }

  private take(bytes: Uint8Array): void {
    // Nobody asked: a server that speaks first (a 408, say) is about to close.
    if (!this.finish) return this.end({ result: "malformed" });
    this.received = joined(this.received, bytes);
    this.deliver(false);
  }

  private deliver(ended: boolean): void {
    const read = readAnswer(this.received, ended);
    if (read === "incomplete") return;
    if (read === "malformed" || read.length !== this.received.length) {
      return this.end({ result: "malformed" });
    }
    const exchange: Exchange = { result: "answer", answer: read };
    if (ended || !read.reusable) return this.end(exchange);
    this.received = new Uint8Array(0);
    this.settle(exchange);
  }

  private broken(how: "closed" | "reset"): void {
    // An answer without a length ends with its connection, if that is closed in order.
    if (how === "closed" && this.received.length > 0) this.deliver(true);
    this.end({ result: "ended", how, bytes: this.received.length });
  }

  private end(exchange: Exchange): void {
    if (!this.usable) return;
    this.usable = false;
    this.lastly = exchange;
    this.transport.close();
    this.onUnusable();
    this.settle(exchange);
  }

  private settle(exchange: Exchange): void {
    const { finish } = this;
    this.finish = undefined;
    finish?.(exchange);
  }
}

function joined(before: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(before.length + bytes.length);
  whole.set(before);
  whole.set(bytes, before.length);
  return whole;
}
