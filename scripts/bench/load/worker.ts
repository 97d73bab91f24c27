// The generator's thread: nothing else runs in it, so that nothing else delays the load. Started by load.ts.

import { type LoadOptions, runOpenLoop } from "./open_loop.ts";
import type { Recording } from "./recording.ts";

/** To the worker. */
export type Order = { readonly type: "start"; readonly options: LoadOptions } | {
  readonly type: "stop";
};

/** From the worker. */
export type Message =
  | { readonly type: "seen"; readonly instance: string; readonly at: number }
  | {
    readonly type: "progress";
    readonly begun: number;
    readonly answered: number;
    readonly failed: number;
  }
  | { readonly type: "done"; readonly recording: Recording }
  | { readonly type: "error"; readonly message: string };

/** What a worker's global scope has; Deno's types for it clash with those of the main thread. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(message: Message): void;
  close(): void;
};

const stop = new AbortController();

scope.onmessage = ({ data }) => {
  if (data.type === "stop") return stop.abort();
  run(data.options);
};

async function run(options: LoadOptions): Promise<void> {
  try {
    const recording = await runOpenLoop(options, {
      stop: stop.signal,
      onSeen: (instance, at) => scope.postMessage({ type: "seen", instance, at }),
      onProgress: ({ begun, answered, failed }) =>
        scope.postMessage({ type: "progress", begun, answered, failed }),
    });
    scope.postMessage({ type: "done", recording });
  } catch (error) {
    scope.postMessage({ type: "error", message: String(error) });
  }
  scope.close();
}
