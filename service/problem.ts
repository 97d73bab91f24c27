// Errors as RFC 9457 problem details. Owns their form; does not decide what is an error.

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

export type ProblemStatus = 400 | 404 | 405 | 413 | 415 | 500 | 503;

// The `type` is about:blank, so RFC 9457 wants the title to be the status phrase of HTTP.
const titles: Record<ProblemStatus, string> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

export interface ProblemOptions {
  /** What happened and what to do, for the person who sent this request. */
  readonly detail: string;
  /** Each single thing that is wrong with the request. */
  readonly errors?: readonly { readonly parameter: string; readonly detail: string }[];
  readonly headers?: Record<string, string>;
}

/** Answers with a problem. It carries the request id, so that a report leads to the log line. */
export function problem(c: Context, status: ProblemStatus, options: ProblemOptions): Response {
  const { detail, errors, headers } = options;
  const body = {
    type: "about:blank",
    title: titles[status],
    status,
    detail,
    instance: c.req.path,
    requestId: c.get("requestId"),
    errors,
  };
  return c.body(JSON.stringify(body), status satisfies ContentfulStatusCode, {
    ...headers,
    "Content-Type": "application/problem+json",
  });
}
