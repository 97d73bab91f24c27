// Asks nginx for a service, to learn whether it has an instance of it. Owns no verdict.
import { within } from "../deadline.ts";
import { messageOf } from "../log.ts";
import type { Answer, Question } from "./doctor.ts";

/** Nobody has a page there, and an application that logs it can tell who asked. */
const PATH = "/.well-known/rollcall-doctor";

/** One GET to nginx at `base`; never throws. */
export async function askNginx(base: string, { host, path }: Question): Promise<Answer> {
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0, allowHost: true });
  try {
    return await within(5_000, undefined, async (signal) => {
      const headers = { host, accept: "application/json", "user-agent": "rollcall doctor" };
      const url = base.replace(/\/+$/, "") + path.replace(/\/+$/, "") + PATH;
      const response = await fetch(url, { client, signal, headers, redirect: "manual" });
      const text = (await response.text()).slice(0, 1_000);
      return ofNginx(response, text)
        ? { kind: "none", status: response.status }
        : { kind: "instance" };
    });
  } catch (error) {
    return { kind: "silent", error: messageOf(error) };
  } finally {
    client.close();
  }
}

/** Whether nginx itself says that nobody answers: its own error is told by the form of its body. */
function ofNginx({ status, headers }: Response, text: string): boolean {
  if (![502, 503, 504].includes(status)) return false;
  return /problem\+json/.test(headers.get("content-type") ?? "") && /"request_id"/.test(text);
}
