// A request of the observer's or of a fault's, with an end: what is asked may be held, cut off or gone. Tries once.
import { delay } from "../../../discovery/delay.ts";
import { within } from "../../../discovery/deadline.ts";

export interface Asked {
  readonly method?: "GET" | "POST";
  readonly body?: string;
  /** Where it is not to go over a connection of its own. */
  readonly client?: Deno.HttpClient;
  /** In ms. */
  readonly within: number;
}

/** The body of an answer that is 2xx; throws otherwise, and always in time. */
export async function fetchText(url: string, asked: Asked): Promise<string> {
  const client = asked.client ?? Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const { method = "GET", body } = asked;
  try {
    return await inTime(
      within(asked.within, undefined, async (signal) => {
        const init = { method, client, signal, ...(body !== undefined && { body }) };
        const response = await fetch(url, init);
        const text = await response.text();
        if (!response.ok) throw new Error(`${url}: status is ${response.status}: ${text}`);
        return text;
      }),
      asked.within + 1_000,
      url,
    );
  } finally {
    if (!asked.client) client.close();
  }
}

/** Waits no longer than that, even for what cannot be ended. */
export async function inTime<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  const over = new AbortController();
  work.catch(() => {}); // it may fail when nobody waits any more
  try {
    return await Promise.race([
      work,
      delay(ms, over.signal).then(() => {
        throw new Error(`${what}: not done within ${ms} ms`);
      }),
    ]);
  } finally {
    over.abort();
  }
}
