// One request as a test makes it. Owns no retry: what fails is seen. (fetch() may repeat one on a kept connection,
// so each has a connection of its own.)

/** What answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** One GET on a connection of its own, `Host` included in the headers if need be; throws after 5 s. */
export async function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0, allowHost: true });
  try {
    const signal = AbortSignal.timeout(5_000);
    const response = await fetch(url, { headers, client, signal });
    return { status: response.status, headers: response.headers, body: await response.text() };
  } finally {
    client.close();
  }
}
