// Reads HTTP/1.1 answers out of bytes, strictly. Owns no connection; knows only what a load client needs.

/** An answer that is whole. Header names are in lower case; repeated headers are joined by ", ". */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Whether the connection can carry another request. */
  readonly reusable: boolean;
  /** How many bytes of the input the answer took. */
  readonly length: number;
}

/** `incomplete`: more bytes are needed. `malformed`: no further bytes can make it an answer. */
export type Read = Answer | "incomplete" | "malformed";

/** No answer of a service under test is near these; one beyond them is a runaway. */
const maxHeadBytes = 64 * 1024;
const maxBodyBytes = 4 * 1024 * 1024;

const latin1 = new TextDecoder("latin1");

/**
 * Reads the answer that `bytes` begin with. `ended` tells that no more will come: a body without a
 * length then is complete, everything else that is missing something stays incomplete.
 */
export function readAnswer(bytes: Uint8Array, ended = false): Read {
  const headEnd = findHeadEnd(bytes);
  if (headEnd < 0) {
    return bytes.length > maxHeadBytes || !begins(bytes) ? "malformed" : "incomplete";
  }
  const lines = latin1.decode(bytes.subarray(0, headEnd - 4)).split("\r\n");
  const start = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?$/.exec(lines[0]!);
  const headers = readHeaders(lines.slice(1));
  if (!start || !headers) return "malformed";
  const status = Number(start[2]);
  if (status < 200) {
    // Interim answers (100, 103) precede the real one.
    const real = readAnswer(bytes.subarray(headEnd), ended);
    return typeof real === "string" ? real : { ...real, length: real.length + headEnd };
  }
  const body = readBody(bytes.subarray(headEnd), status, headers, ended);
  if (typeof body === "string") return body;
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  const persistent = start[1] === "1"
    ? !connection.includes("close")
    : connection.includes("keep-alive");
  return {
    status,
    headers,
    body: body.content,
    reusable: persistent && body.delimited,
    length: headEnd + body.length,
  };
}

interface Body {
  readonly content: Uint8Array;
  readonly length: number;
  /** Its end is known from the message; false where only the end of the connection tells it. */
  readonly delimited: boolean;
}

function readBody(
  bytes: Uint8Array,
  status: number,
  headers: ReadonlyMap<string, string>,
  ended: boolean,
): Body | "incomplete" | "malformed" {
  if (status === 204 || status === 304) {
    return { content: bytes.subarray(0, 0), length: 0, delimited: true };
  }
  const coding = headers.get("transfer-encoding");
  const announced = headers.get("content-length");
  if (coding !== undefined) {
    if (announced !== undefined || coding.toLowerCase() !== "chunked") return "malformed";
    return readChunks(bytes);
  }
  if (announced === undefined) {
    if (bytes.length > maxBodyBytes) return "malformed";
    return ended ? { content: bytes, length: bytes.length, delimited: false } : "incomplete";
  }
  if (!/^\d{1,9}$/.test(announced) || Number(announced) > maxBodyBytes) return "malformed";
  const length = Number(announced);
  if (bytes.length < length) return "incomplete";
  return { content: bytes.subarray(0, length), length, delimited: true };
}

function readChunks(bytes: Uint8Array): Body | "incomplete" | "malformed" {
  const parts: number[] = [];
  for (let at = 0;;) {
    const lineEnd = findLineEnd(bytes, at);
    if (lineEnd < 0) return bytes.length - at > 1024 ? "malformed" : "incomplete";
    const line = /^([0-9a-fA-F]{1,8})(?:\s*;.*)?$/.exec(latin1.decode(bytes.subarray(at, lineEnd)));
    if (!line) return "malformed";
    const size = parseInt(line[1]!, 16);
    if (parts.length + size > maxBodyBytes) return "malformed";
    at = lineEnd + 2;
    if (size === 0) {
      const end = findLineEnd(bytes, at);
      if (end < 0) return "incomplete";
      if (end !== at) return "malformed"; // Trailers: nobody under test sends them.
      return { content: Uint8Array.from(parts), length: end + 2, delimited: true };
    }
    if (bytes.length < at + size + 2) return "incomplete";
    for (const byte of bytes.subarray(at, at + size)) parts.push(byte);
    at += size;
    if (bytes[at] !== 13 || bytes[at + 1] !== 10) return "malformed";
    at += 2;
  }
}

function readHeaders(lines: readonly string[]): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!match) return undefined;
    const name = match[1]!.toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? match[2]! : `${before}, ${match[2]}`);
  }
  return headers;
}

/** Whether the bytes can be the beginning of an answer. */
function begins(bytes: Uint8Array): boolean {
  const wanted = "HTTP/1.";
  for (let i = 0; i < Math.min(bytes.length, wanted.length); i++) {
    if (bytes[i] !== wanted.charCodeAt(i)) return false;
  }
  return true;
}

/** Where the body begins, or -1. */
function findHeadEnd(bytes: Uint8Array): number {
  for (let at = 0; (at = findLineEnd(bytes, at)) >= 0; at += 2) {
    if (bytes[at + 2] === 13 && bytes[at + 3] === 10) return at + 4;
  }
  return -1;
}

function findLineEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(13, from); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10) return at;
  }
  return -1;
}
