// Docker as the observer sees it, over its own socket: the client would take more of the machine than the stack does.
import { z } from "zod";
import { fetchText } from "./fetch_text.ts";
import { STRANGER } from "../faults/instances.ts";
import { MADE_BY_COMPOSE } from "../../e2e/stack.ts";

/** A container as a list has it. */
export interface Seen {
  readonly id: string;
  readonly name: string;
  /** Compose's service; of a stranger what its label SERVICE_NAME says. */
  readonly service: string;
  /** `running`, `paused`, `exited`, `restarting`, `created` … */
  readonly state: string;
  readonly health: "healthy" | "unhealthy" | "starting" | undefined;
  /** By network. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Something that happened to a container. */
export interface Happened {
  /** In ms since 1970. */
  readonly at: number;
  readonly id: string;
  readonly name: string;
  readonly what: string;
  readonly signal: number | undefined;
}

const listed = z.array(z.object({
  Id: z.string(),
  Names: z.array(z.string()),
  State: z.string(),
  Status: z.string(),
  Labels: z.record(z.string(), z.string()),
  NetworkSettings: z.object({
    Networks: z.record(z.string(), z.object({ IPAddress: z.string() })),
  }),
}));

const happened = z.object({
  Action: z.string(),
  timeNano: z.number(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});

/** cgroup v1 and v2 have other words for what the processes themselves take. */
const stats = z.object({
  memory_stats: z.object({
    limit: z.number().optional(),
    stats: z.object({ rss: z.number().optional(), anon: z.number().optional() }).optional(),
  }),
});

/** Reads what Docker says about containers that have one of these labels. */
export class EngineView implements Disposable {
  private readonly client: Deno.HttpClient;

  constructor(private readonly labels: readonly string[]) {
    const path = (Deno.env.get("DOCKER_HOST") ?? "unix:///var/run/docker.sock").replace(
      /^unix:\/\//,
      "",
    );
    this.client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }

  /** All of them, those that do not run included. */
  async list(): Promise<readonly Seen[]> {
    const lists = await Promise.all(this.labels.map(async (label) => {
      const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
      return listed.parse(await this.get(`/containers/json?all=true&filters=${filters}`));
    }));
    return lists.flat().filter(({ Labels }) => isOfStack(Labels)).map((
      { Id, Names, State, Status, Labels, NetworkSettings },
    ) => ({
      id: Id,
      name: (Names[0] ?? "").slice(1),
      service: Labels[STRANGER] === undefined
        ? Labels["com.docker.compose.service"] ?? ""
        : Labels["SERVICE_NAME"] ?? "",
      state: State,
      health: healthIn(Status),
      addresses: new Map(
        Object.entries(NetworkSettings.Networks).flatMap(([name, { IPAddress }]) =>
          IPAddress === "" ? [] : [[name, IPAddress]]
        ),
      ),
    }));
  }

  /** The share of its limit that a container's processes take, and their memory in bytes. */
  async memory(id: string): Promise<{ readonly bytes: number; readonly share: number }> {
    const reply = await this.get(`/containers/${id}/stats?stream=false&one-shot=true`);
    const { memory_stats } = stats.parse(reply);
    const bytes = memory_stats.stats?.rss ?? memory_stats.stats?.anon ?? 0;
    return { bytes, share: bytes / (memory_stats.limit ?? Infinity) };
  }

  /** Tells what happens, until the signal fires. */
  async follow(tell: (happened: Happened) => void, signal: AbortSignal): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ type: ["container"] }));
    const response = await fetch(`http://docker/events?filters=${filters}`, {
      client: this.client,
      signal,
    });
    let rest = "";
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (line.trim() === "") continue;
          const { Action, timeNano, Actor } = happened.parse(JSON.parse(line));
          const { name = "", signal } = Actor.Attributes;
          const mine = this.labels.some((label) => {
            const [key = "", value] = label.split("=");
            return Actor.Attributes[key] === value;
          });
          // What its health check runs is no news.
          if (!mine || !isOfStack(Actor.Attributes) || Action.startsWith("exec_")) continue;
          const at = timeNano / 1e6;
          const number = signal === undefined ? undefined : Number(signal);
          tell({ at, id: Actor.ID, name, what: Action, signal: number });
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private async get(path: string): Promise<unknown> {
    const asked = { client: this.client, within: 10_000 };
    return JSON.parse(await fetchText(`http://docker${path}`, asked));
  }
}

/** Whoever runs an image of the stack by hand has the label of its project as well, and is none of it. */
function isOfStack(labels: Readonly<Record<string, string>>): boolean {
  return MADE_BY_COMPOSE in labels || STRANGER in labels;
}

function healthIn(status: string): Seen["health"] {
  const word = /\((?:health: )?(healthy|unhealthy|starting)\)/.exec(status)?.[1];
  return word as Seen["health"];
}
