// GET /slow?ms=: an answer that takes its time, to watch draining and timeouts. Owns nothing else.

import type { Context } from "hono";
import * as z from "zod";
import type { Clock } from "./clock.ts";
import { problem } from "./problem.ts";

/** Answers after `ms` milliseconds, or stops waiting when the client has gone. */
export async function slow(c: Context, maxMs: number, clock: Clock): Promise<Response> {
  const wanted = `give one whole number of milliseconds from 0 to ${maxMs}`;
  const form = z.tuple([z.string().regex(/^\d+$/).transform(Number).pipe(z.number().max(maxMs))]);
  const result = form.safeParse(c.req.queries("ms"));
  if (!result.success) {
    const detail = `Cannot wait: ${wanted}, as in /slow?ms=${Math.min(500, maxMs)}.`;
    return problem(c, 400, { detail, errors: [{ parameter: "ms", detail: wanted }] });
  }
  const [ms] = result.data;
  await clock.sleep(ms, c.req.raw.signal);
  return c.json({ ms });
}
