// Talks to the Docker Engine over HTTP, reading only: list, inspect, events. Owns no decision.
import { within } from "../deadline.ts";
import type { Container } from "../instance.ts";
import { type ContainerEvent, EVENT_FILTERS, parseEvent } from "./events.ts";
import { type Listed, parseContainer, parseList } from "./replies.ts";

/** What the registrator asks of Docker. Each call ends early, by throwing, when the signal fires. */
export interface Engine {
  /** All running containers, paused ones included. Throws when the list is not whole. */
  list(signal?: AbortSignal): Promise<readonly Listed[]>;
  /** One container, or undefined when there is none of that id or name. */
  inspect(id: string, signal?: AbortSignal): Promise<Container | undefined>;
  /** The Docker host's own name. */
  hostName(signal?: AbortSignal): Promise<string>;
  /**
   * Events from now on, until the signal fires (then it ends) or the stream breaks (then it throws).
   * `onOpen` is called once Docker has accepted: nothing is missed from then on.
   */
  events(onOpen: () => void, signal: AbortSignal): AsyncIterable<ContainerEvent>;
}

/** How long a list or an inspection may take, in ms; and opening the stream of events. */
const DEADLINE = 10_000;

/**
 * An Engine behind `base`, as in `http://socket-proxy:2375` or `unix:///run/rollcall/docker.sock`. Paths carry no API
 * version: Docker then uses its newest.
 */
export class HttpEngine implements Engine {
  private readonly client: Deno.HttpClient | undefined;
  private readonly origin: string;

  constructor(private readonly base: string, private readonly deadline: number = DEADLINE) {
    const path = base.startsWith("unix://") ? base.slice("unix://".length) : undefined;
    // Deno asks for the address of that name although it does not use it: where nobody answers, no other name is known.
    this.origin = path === undefined ? base : "http://localhost";
    if (path !== undefined) {
      this.client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
    }
  }

  async list(signal?: AbortSignal): Promise<readonly Listed[]> {
    return parseList(await this.get("list containers", "/containers/json", signal));
  }

  async inspect(id: string, signal?: AbortSignal): Promise<Container | undefined> {
    const path = `/containers/${encodeURIComponent(id)}/json`;
    const reply = await this.get("inspect container", path, signal);
    return reply === undefined ? undefined : parseContainer(reply);
  }

  async hostName(signal?: AbortSignal): Promise<string> {
    const info = await this.get("ask Docker for its name", "/info", signal);
    const name = (info as { readonly Name?: unknown } | undefined)?.Name;
    if (typeof name !== "string" || name === "") {
      throw new Error("Cannot ask Docker for its name: the reply has none");
    }
    return name;
  }

  async *events(onOpen: () => void, signal: AbortSignal): AsyncIterable<ContainerEvent> {
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      if (signal.aborted) return;
      const response = await this.open(stop);
      onOpen();
      let rest = "";
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          const event = line.trim() === "" ? undefined : parseEvent(line);
          if (event) yield event;
        }
      }
      if (!signal.aborted) throw new Error("Cannot follow events: Docker closed the stream");
    } catch (cause) {
      if (signal.aborted) return;
      const { message } = cause as Error;
      throw message.startsWith("Cannot ")
        ? cause
        : new Error(`Cannot follow events: the stream broke: ${message}`, { cause });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  private async open(stop: AbortController): Promise<Response> {
    const filters = encodeURIComponent(JSON.stringify(EVENT_FILTERS));
    const late = setTimeout(
      () => stop.abort(new DOMException(`no answer within ${this.deadline} ms`, "TimeoutError")),
      this.deadline,
    );
    try {
      const response = await this.fetch("follow events", `/events?filters=${filters}`, stop.signal);
      if (response.ok && response.body) return response;
      throw new Error(`Cannot follow events: ${await refusal(response)}`);
    } finally {
      clearTimeout(late);
    }
  }

  private async get(what: string, path: string, signal?: AbortSignal): Promise<unknown> {
    try {
      return await within(this.deadline, signal, async (signal) => {
        const response = await this.fetch(what, path, signal);
        if (response.status === 404) {
          await response.body?.cancel();
          return undefined;
        }
        if (!response.ok) throw new Error(`Cannot ${what}: ${await refusal(response)}`);
        return await response.json();
      });
    } catch (cause) {
      const { message } = cause as Error;
      throw message.startsWith("Cannot ")
        ? cause
        : new Error(`Cannot ${what}: ${this.base}: ${message}`, { cause });
    }
  }

  private async fetch(what: string, path: string, signal: AbortSignal): Promise<Response> {
    try {
      const { client } = this;
      const headers = { host: "docker" };
      return await fetch(this.origin + path, { signal, headers, ...(client && { client }) });
    } catch (cause) {
      const { message } = (signal.aborted ? signal.reason : cause) as Error;
      throw new Error(`Cannot ${what}: no answer from ${this.base}: ${message}`, { cause });
    }
  }
}

async function refusal(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 200).replaceAll(/\s+/g, " ").trim();
  const hint = response.status === 502
    ? "socket-proxy cannot open docker.sock: does DOCKER_SOCKET name it, is dockerd running?"
    : text;
  return `status is ${response.status} (${hint})`;
}
