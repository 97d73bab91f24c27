// A subject out of anybody's own compose file: whatever answers on a URL and scales with `--scale`. Starts nothing.

import type { Subject } from "./subjects.ts";

/** What has to be said about it. */
export interface YourStack {
  readonly composeFile: string;
  /** The compose service that is scaled. */
  readonly service: string;
  /** Where it answers: a port of this machine, and a path that every instance answers with 2xx. */
  readonly url: string;
  readonly postPath: string | undefined;
}

/**
 * Makes a subject of it. When instances send their host name in `X-Instance`, their first and last requests
 * are measured; else only what fails. Throws when the URL leads to another machine.
 */
export function yourSubject({ composeFile, service, url, postPath }: YourStack): Subject {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  if (protocol !== "http:" || !["127.0.0.1", "localhost"].includes(hostname)) {
    throw new Error(`Cannot send a load to ${url}: give an http URL of this machine, 127.0.0.1`);
  }
  return {
    name: "yours",
    title: `${service} of ${composeFile.split("/").at(-1)}`,
    files: [composeFile.startsWith("/") ? composeFile : `${Deno.cwd()}/${composeFile}`],
    scaled: service,
    follows: true,
    images: {},
    yours: { port: Number(port || 80), getPath: `${pathname}${search}`, postPath },
  };
}
