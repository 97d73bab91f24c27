// POST /echo: gives the JSON back that came. Does not store it.

import type { Context } from "hono";
import { BodyTooLargeError, readBody } from "./body.ts";
import { problem } from "./problem.ts";

/** Answers with the very bytes that came: parsing and printing would change large numbers. */
export async function echo(c: Context, maxBytes: number): Promise<Response> {
  const type = c.req.header("content-type") ?? "";
  if (!isJson(type)) {
    const detail = `The body has to be application/json, not ${type || "of unknown type"}.`;
    return problem(c, 415, { detail, headers: { Accept: "application/json" } });
  }
  const coding = c.req.header("content-encoding") ?? "identity";
  if (coding !== "identity") {
    const detail = `The body has to come as it is, not encoded with ${coding}.`;
    return problem(c, 415, { detail, headers: { "Accept-Encoding": "identity" } });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readBody(c.req.raw, maxBytes));
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      return problem(c, 413, { detail: `The body may have ${maxBytes} bytes at most.` });
    }
    return problem(c, 400, { detail: `Cannot read the body: ${messageOf(error)}` });
  }
  try {
    JSON.parse(text);
  } catch (error) {
    return problem(c, 400, { detail: `The body is not JSON: ${messageOf(error)}` });
  }
  return c.body(text, 200, { "Content-Type": "application/json" });
}

/** application/json, with or without parameters, and the application/…+json types. */
function isJson(type: string): boolean {
  return /^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test(type.trim());
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
