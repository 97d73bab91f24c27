// A running load, seen from the harness: start it, watch it, stop it. The work is done in a thread of its own.

import type { LoadOptions } from "./open_loop.ts";
import type { Recording } from "./recording.ts";
import type { Message, Order } from "./worker.ts";

/** A load that runs. */
export class Load {
  /** Instances that have answered, with the time of the first answer in ms since 1970. */
  readonly seen = new Map<string, number>();
  /** Requests so far. */
  counts = { begun: 0, answered: 0, failed: 0 };
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly done = Promise.withResolvers<Recording>();

  /** Starts sending at once. */
  constructor(options: LoadOptions) {
    this.worker.onmessage = ({ data }: MessageEvent<Message>) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.done.reject(new Error(`Cannot run the load: ${event.message}`));
    };
    this.done.promise.catch(() => {}); // Whoever calls stop() gets it.
    this.order({ type: "start", options });
  }

  /** Ends the sending, waits for what is under way, and returns the account of everything. */
  async stop(): Promise<Recording> {
    this.order({ type: "stop" });
    try {
      return await this.done.promise;
    } finally {
      this.worker.terminate();
    }
  }

  /** Resolves when the load has reached its own end, or failed. */
  get finished(): Promise<unknown> {
    return this.done.promise.catch(() => {});
  }

  /** Ends everything at once, without an account. */
  kill(): void {
    this.worker.terminate();
    this.done.reject(new Error("Cannot finish the load: it was killed"));
  }

  private order(order: Order): void {
    this.worker.postMessage(order);
  }

  private hear(message: Message): void {
    switch (message.type) {
      case "seen":
        this.seen.set(message.instance, message.at);
        break;
      case "progress":
        this.counts = message;
        break;
      case "done":
        this.done.resolve(message.recording);
        break;
      case "error":
        this.done.reject(new Error(`Cannot run the load: ${message.message}`));
        break;
    }
  }
}
