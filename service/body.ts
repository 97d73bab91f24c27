// Reading request bodies up to a limit, and getting rid of what nobody read. Knows no formats.

/** Thrown when a body is longer than allowed. */
export class BodyTooLargeError extends Error {
  override name = "BodyTooLargeError";
}

/**
 * Reads a whole body into memory.
 *
 * @throws {BodyTooLargeError} beyond `limit` bytes, however the length was announced, or not at all.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  // An announced length spares the reading; it cannot be a lie, as the server counts along.
  if (announcedLength(request) > limit) throw new BodyTooLargeError();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      length += part.value.length;
      if (length > limit) throw new BodyTooLargeError();
      chunks.push(part.value);
    }
  } finally {
    reader?.releaseLock();
  }
  return concatenate(chunks, length);
}

/**
 * Reads and drops what is left of a body; tells whether it came to the end within `limit` bytes.
 * If it did not, the connection has to be closed: a next request would stand behind the rest.
 *
 * Worth it although nobody wants these bytes: closing a connection with unread bytes in it resets
 * it, and the reset can overtake the answer, so that the client never learns what was wrong.
 */
export async function discardBody(request: Request, limit: number): Promise<boolean> {
  if (!request.body) return true;
  // What is announced and far too much need not even come: with `Expect: 100-continue` it will not.
  if (!request.bodyUsed && announcedLength(request) > limit) return false;
  const reader = request.body.getReader();
  let length = 0;
  try {
    while (length <= limit) {
      const { done, value } = await reader.read();
      if (done) return true;
      length += value.length;
    }
  } catch {
    return false; // The client went away in the middle of it.
  } finally {
    reader.releaseLock();
  }
  return false;
}

/** The Content-Length, or 0 where there is none: a chunked body says nothing about its length. */
function announcedLength(request: Request): number {
  return Number(request.headers.get("content-length") ?? 0);
}

function concatenate(chunks: readonly Uint8Array<ArrayBuffer>[], length: number) {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
