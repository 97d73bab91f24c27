// A process in which many registrators run (crew_main.ts), from outside. Owns the process and no figure.

/** Which Engine and which etcd a registrator is to look at, what its host is called, and the host's address. */
export interface Watched {
  readonly docker: string;
  readonly etcd: string;
  readonly host: string;
  readonly published: string;
}

export class Crew {
  private readonly process: Deno.ChildProcess;
  private readonly orders: WritableStreamDefaultWriter<Uint8Array>;

  constructor() {
    // Their hosts would have processors of their own: so they stand behind etcd and the edge, which are measured.
    this.process = new Deno.Command("nice", {
      args: [
        ...["-n", "10", Deno.execPath()],
        ...["run", "--quiet", "--cached-only", "--no-check", "--allow-net", "--allow-env"],
        ...["--allow-read", "--allow-sys=hostname", "--v8-flags=--max-old-space-size=8000"],
        new URL("crew_main.ts", import.meta.url).pathname,
      ],
      ...{ stdin: "piped", stdout: "null", stderr: "inherit" },
    }).spawn();
    this.orders = this.process.stdin.getWriter();
  }

  /** One more registrator starts in it. */
  async start({ docker, etcd, host, published }: Watched): Promise<void> {
    const place = [`--docker=${docker}`, `--etcd=${etcd}`, `--host=${host}`];
    const flags = [...place, "--network=edge", "--internal=false", `--ip=${published}`];
    await this.orders.write(new TextEncoder().encode(`${JSON.stringify({ flags })}\n`));
  }

  /** Resolves when it has ended, with what it ended by: an exit code or a signal. */
  get ended(): Promise<string> {
    return this.process.status.then(({ code, signal }) => signal ?? `exit code ${code}`);
  }

  get pid(): number {
    return this.process.pid;
  }

  async end(): Promise<void> {
    try {
      this.process.kill("SIGKILL"); // nobody needs its keys any more
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    await this.process.status;
    await this.orders.abort().catch(() => {});
  }
}
