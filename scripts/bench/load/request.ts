// The requests that are sent, and the judgement of what comes back. Owns no connection and no time.

import type { Answer } from "./answer.ts";
import type { Exchange } from "./connection.ts";
import type { Planned } from "./plan.ts";
import type { Ended } from "./recording.ts";

/** What is asked for, and what counts as answered. */
export interface Target {
  /** The Host header. */
  readonly host: string;
  readonly getPath: string;
  readonly postPath: string;
  /**
   * `service`: the bundled service is asked, so a GET has to name its instance and a POST has to give
   * back the very bytes that it brought. `status`: any 2xx counts, for services that we do not know.
   */
  readonly expect: "service" | "status";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The body of the `index`th request: different for each, so that no answer can pass for another's. */
function postBody(index: number): string {
  return `{"request":${index},"text":"Who is here?"}`;
}

/** The `index`th request as it goes over the wire. */
export function requestBytes(index: number, { post, fresh }: Planned, target: Target): Uint8Array {
  const body = post ? postBody(index) : "";
  const lines = [
    post ? `POST ${target.postPath} HTTP/1.1` : `GET ${target.getPath} HTTP/1.1`,
    `Host: ${target.host}`,
    "Accept: application/json",
    "User-Agent: rollcall-bench",
    `Connection: ${fresh ? "close" : "keep-alive"}`,
    ...(post ? ["Content-Type: application/json", `Content-Length: ${body.length}`] : []),
    "",
    body,
  ];
  return encoder.encode(lines.join("\r\n"));
}

/** How the `index`th request ended, from what came back on a new or a `reused` connection. */
export function judge(
  index: number,
  { post }: Planned,
  reused: boolean,
  exchange: Exchange,
  target: Target,
): Ended {
  switch (exchange.result) {
    case "abandoned":
      return { ending: "timeout" };
    case "malformed":
      return { ending: "malformed" };
    case "ended":
      if (exchange.bytes > 0) return { ending: "cut" };
      if (reused) return { ending: "stale" };
      return { ending: exchange.how };
    case "answer":
      return judgeAnswer(index, post, exchange.answer, target);
  }
}

function judgeAnswer(index: number, post: boolean, answer: Answer, target: Target): Ended {
  const { status, headers, body } = answer;
  const instance = headers.get("x-instance");
  const about = { status, ...(instance === undefined ? {} : { instance }) };
  if (status < 200 || status > 299) return { ending: "status", ...about };
  const right = target.expect === "status" ||
    (post ? decoder.decode(body) === postBody(index) : names(body, instance));
  return { ending: right ? "answered" : "wrong body", ...about };
}

/** Whether the body is the service's own, of the instance that the header names. */
function names(body: Uint8Array, instance: string | undefined): boolean {
  try {
    return instance !== undefined && JSON.parse(decoder.decode(body)).instance === instance;
  } catch {
    return false;
  }
}
