// The registrator as the process that its image runs, for measurements. Owns no Engine, no etcd and no figure.

/** What it is to watch: an Engine and an etcd by URL, and what the host is called in the keys. */
export interface Watched {
  readonly docker: string;
  readonly etcd: string;
  readonly host: string;
  /** The host's address, where instances are reached by the ports that it publishes. */
  readonly published?: string;
}

/** The registrator as a process of its own, with the permissions of its image and the flags of discovery/rollcall. */
export class RegistratorProcess {
  private readonly process: Deno.ChildProcess;

  constructor({ docker, etcd, host, published }: Watched) {
    const root = new URL("../../", import.meta.url).pathname;
    const script = Deno.readTextFileSync(`${root}discovery/rollcall`);
    // In the image the cache of dependencies is below the root.
    const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    this.process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--cached-only", "--frozen", "--no-prompt", "--no-check"],
        /--v8-flags=\S+/.exec(script)![0],
        ...["--allow-net", "--allow-env", "--allow-sys=hostname", `--allow-read=${root},${cache}`],
        ...["--allow-write=/run/rollcall", "discovery/main.ts", "registrator"],
        ...[`--docker=${docker}`, `--etcd=${etcd}`, `--host=${host}`],
        ...["--network=edge", ...(published ? ["--internal=false", `--ip=${published}`] : [])],
      ],
      cwd: root,
      env: { MALLOC_ARENA_MAX: /MALLOC_ARENA_MAX=(\d+)/.exec(script)![1]! },
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  }

  /** Resolves when it has ended, with what it ended by: an exit code or a signal. */
  get ended(): Promise<string> {
    return this.process.status.then(({ code, signal }) => signal ?? `exit code ${code}`);
  }

  /** Processor time used so far, in ms. */
  get processor(): number {
    const fields = Deno.readTextFileSync(`/proc/${this.process.pid}/stat`).split(") ")[1]!.split(
      " ",
    );
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Resident memory, in MB. */
  get memory(): number {
    const status = Deno.readTextFileSync(`/proc/${this.process.pid}/status`);
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
  }

  async end(): Promise<void> {
    try {
      this.process.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    await this.process.status;
  }
}
