// What the app is built from. Owns no behaviour.
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Phase } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** Everything that createApp() takes from outside, so that tests can replace it. */
export interface AppDependencies {
  readonly config: Pick<Config, "instance" | "maxBodyBytes" | "maxSlowMs" | "accessLog">;
  readonly version: string;
  readonly lifecycle: { readonly phase: Phase; readonly leaving: boolean };
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
}
