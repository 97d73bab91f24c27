// A small HTTP client for tests that keeps one connection, to see what happens to connections.
// Owns nothing that runs in production; knows no chunked answers.

export interface Answer {
  readonly status: number;
  /** Whether the server asked to end the connection. */
  readonly close: boolean;
  readonly body: string;
}

/** Connects at its first request to 127.0.0.1. A connection that breaks rejects the request. */
export class KeepAliveClient {
  #connection: Deno.TcpConn | undefined;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async get(path: string): Promise<Answer> {
    this.#connection ??= await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    await this.#connection.write(new TextEncoder().encode(request));
    let text = "";
    for (;;) {
      const end = text.indexOf("\r\n\r\n");
      const head = text.slice(0, end);
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
      if (end >= 0 && text.length >= end + 4 + length) {
        return {
          status: Number(text.slice(9, 12)),
          close: /^connection: close$/im.test(head),
          body: text.slice(end + 4),
        };
      }
      const chunk = await this.#read();
      if (chunk === null) throw new Error(`closed by the server after ${JSON.stringify(text)}`);
      text += chunk;
    }
  }

  /** Waits for the server's end of the connection: whether it closes in order or resets. */
  async closedByServer(): Promise<"closed" | "reset" | "data"> {
    try {
      return await this.#read() === null ? "closed" : "data";
    } catch {
      return "reset";
    }
  }

  async #read(): Promise<string | null> {
    const chunk = new Uint8Array(65536);
    const length = await this.#connection!.read(chunk);
    return length === null ? null : new TextDecoder().decode(chunk.subarray(0, length));
  }

  [Symbol.dispose]() {
    this.#connection?.close();
  }
}
