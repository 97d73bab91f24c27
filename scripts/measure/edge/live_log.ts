// Follows the log of an edge's container, and tells when a configuration has gone live. Owns no container.
import { delay } from "../../../discovery/delay.ts";
import { type WentLive, wentLive } from "./edge_log.ts";

/** All that went live since it was opened, and before as far as Docker has kept it. */
export class LiveLog {
  readonly live: WentLive[] = [];
  private readonly process: Deno.ChildProcess;
  private told = () => {};

  constructor(container: string) {
    this.process = new Deno.Command("docker", {
      args: ["logs", "--follow", container],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.read();
  }

  /** Resolves with the first configuration that `is` so, of those that went live at `since` (ms since 1970) or later. */
  async until(
    is: (live: WentLive) => boolean,
    { since = 0, within = 60_000 }: { readonly since?: number; readonly within?: number } = {},
  ): Promise<WentLive> {
    const late = delay(within).then(() => "late" as const);
    while (true) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.told = resolve;
      const found = this.live.findLast((live) => live.at >= since && is(live));
      if (found) return found;
      if (await Promise.race([promise, late]) === "late") {
        const last = this.live.at(-1)?.instances;
        throw new Error(`Not live within ${within} ms: the last one has ${last} instances`);
      }
    }
  }

  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.process.status;
  }

  private async read(): Promise<void> {
    let rest = "";
    const decoder = new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>;
    for await (const text of this.process.stderr.pipeThrough(decoder)) {
      const end = (rest + text).lastIndexOf("\n") + 1;
      this.live.push(...wentLive((rest + text).slice(0, end)));
      rest = (rest + text).slice(end);
      this.told();
    }
  }
}
