// Asks the service that runs in this container whether it is ready. Decides nothing by itself.

import type { Clock } from "./clock.ts";

export interface Health {
  readonly ok: boolean;
  /** For people: what came back, or why nothing did. */
  readonly reason: string;
}

const timeoutMs = 2000;

/**
 * Sends GET /readyz to the port that the service listens on. Never rejects.
 *
 * Over a bare connection on purpose: `fetch` obeys HTTP_PROXY, which Docker clients put into
 * containers, and would ask a proxy for our 127.0.0.1.
 */
export async function healthcheck(host: string, port: number, clock: Clock): Promise<Health> {
  const hostname = reachable(host);
  const answered = new AbortController();
  let connection: Deno.TcpConn | undefined;
  const ask = async () => {
    connection = await Deno.connect({ hostname, port });
    return await statusLine(connection);
  };
  const late = async () => {
    await clock.sleep(timeoutMs, answered.signal);
    throw new Error(`no answer within ${timeoutMs} ms`);
  };
  try {
    const line = await Promise.race([ask(), late()]);
    return { ok: /^HTTP\/1\.[01] 200 /.test(line), reason: line };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: `Cannot ask ${hostname}:${port}: ${why}` };
  } finally {
    answered.abort();
    connection?.close();
  }
}

/** An address of ours to connect to, of the address that we listen on. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

async function statusLine(connection: Deno.TcpConn): Promise<string> {
  const request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  await connection.write(new TextEncoder().encode(request));
  const chunk = new Uint8Array(512);
  let text = "";
  while (!text.includes("\r\n") && text.length < 512) {
    const length = await connection.read(chunk);
    if (length === null) throw new Error("the connection was closed without an answer");
    text += new TextDecoder().decode(chunk.subarray(0, length));
  }
  return text.split("\r\n")[0]!;
}
