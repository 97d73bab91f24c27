// Docker's own account of a project's containers: when each was started, signalled and dead. Owns the process that listens.

/** Something that happened to a container, `at` ms since 1970, with fractions. */
export interface ContainerEvent {
  readonly id: string;
  readonly service: string;
  readonly action: "start" | "kill" | "die";
  /** Of `kill`: the signal's number. */
  readonly signal?: number;
  readonly at: number;
}

/** One line of `docker events`; undefined for what does not concern us. */
export function parseEvent(line: string): ContainerEvent | undefined {
  // The time has 19 digits, more than a number holds: it is read as text.
  const nano = /"timeNano":(\d+)/.exec(line)?.[1];
  const { Action: action, Actor } = JSON.parse(line);
  if (nano === undefined || !["start", "kill", "die"].includes(action)) return undefined;
  const { signal, ["com.docker.compose.service"]: service = "" } = Actor.Attributes ?? {};
  return {
    id: Actor.ID,
    service,
    action,
    ...(action === "kill" ? { signal: Number(signal) } : {}),
    at: Number(BigInt(nano) / 1000n) / 1000,
  };
}

/** Follows the events of one project. */
export class EventWatch {
  readonly events: ContainerEvent[] = [];
  private readonly process: Deno.ChildProcess;
  private readonly reading: Promise<void>;

  /**
   * Nothing since `since` (ms since 1970) is missed, however long Docker takes to answer. `heard` is told
   * at once.
   */
  constructor(
    project: string,
    since: number,
    private readonly heard: (event: ContainerEvent) => void = () => {},
  ) {
    const filters = [
      "type=container",
      `label=com.docker.compose.project=${project}`,
      "event=start",
      "event=kill",
      "event=die",
    ];
    this.process = new Deno.Command("docker", {
      args: [
        ...["events", "--format", "{{json .}}", "--since", (since / 1000).toFixed(3)],
        ...filters.flatMap((filter) => ["--filter", filter]),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.reading = this.read();
  }

  private async read(): Promise<void> {
    let rest = "";
    for await (const text of this.process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const event = line === "" ? undefined : parseEvent(line);
        if (!event) continue;
        this.events.push(event);
        this.heard(event);
      }
    }
  }

  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.reading;
    await this.process.status;
  }
}
