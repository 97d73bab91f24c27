// Knocks on one endpoint once: TCP connect or HTTP GET. Owns no schedule and no verdict.
import { within } from "../deadline.ts";
import type { Check } from "../instance.ts";
import type { Finding, Target } from "./target.ts";

/** One probe; never throws, ends within the check's timeout or when the signal fires. */
export async function probe(target: Target, signal: AbortSignal): Promise<Finding> {
  const { check } = target;
  try {
    return await within(
      check.timeout,
      signal,
      (signal) => check.kind === "http" ? get(target, check, signal) : connect(target, signal),
    );
  } catch (error) {
    return failureOf(error);
  }
}

async function connect({ address, port }: Target, signal: AbortSignal): Promise<Finding> {
  const connection = await Deno.connect({ hostname: address, port, signal });
  connection.close();
  return { ok: true, detail: "connected" };
}

async function get(
  { address, port }: Target,
  { path, method = "GET", statuses = [[200, 399]] }: Extract<Check, { kind: "http" }>,
  signal: AbortSignal,
): Promise<Finding> {
  const host = address.includes(":") ? `[${address}]` : address;
  const response = await fetch(`http://${host}:${port}${path}`, {
    method,
    signal,
    redirect: "manual",
    // No connection is kept: the next probe must find out whether the instance still accepts one.
    headers: { "user-agent": "rollcall", connection: "close" },
  });
  await response.body?.cancel();
  const { status } = response;
  const ok = statuses.some(([first, last]) => status >= first && status <= last);
  return {
    ok,
    detail: ok ? `status is ${status}` : `status is ${status}: ${wanted(statuses)} would do`,
  };
}

function wanted(statuses: readonly (readonly [number, number])[]): string {
  return statuses.map(([first, last]) => first === last ? first : `${first} to ${last}`).join(", ");
}

function failureOf(error: unknown): Finding {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    const detail = `${error.message}: is it overloaded, or SERVICE_CHECK_TIMEOUT too short?`;
    return { ok: false, detail, silent: true };
  }
  const text = `${error} ${error instanceof Error ? error.cause ?? "" : ""}`;
  if (/unreachable|no route/i.test(text)) {
    const detail = "no route to it: is it on a network of the registrator's?";
    return { ok: false, detail, silent: true };
  }
  return { ok: false, detail: reasonOf(error, text) };
}

function reasonOf(error: unknown, text: string): string {
  if (error instanceof Deno.errors.ConnectionRefused || /refused/i.test(text)) {
    return "connection refused: is this the right port, and does the application listen on 0.0.0.0, not on 127.0.0.1 only?";
  }
  if (/reset|closed before|EOF/i.test(text)) {
    return "connection closed without an answer: does it speak HTTP there?";
  }
  return text.replaceAll(/[\s\p{C}]+/gu, " ").trim().slice(0, 200);
}
