// The kinds of instances that a subject is measured with. All but `light` are the bundled service.

/** How the instances behave. */
export type Backend = "graceful" | "late-exit" | "abrupt" | "announced" | "slow" | "light";

/** A backend as settings of the compose files. */
export interface BackendSettings {
  readonly title: string;
  readonly env: Readonly<Record<string, string>>;
  /** Compose files below subjects/ that are laid over the subject's. */
  readonly files: readonly string[];
}

export const backends: Readonly<Record<Backend, BackendSettings>> = {
  graceful: {
    title: "serves on for 3 s after SIGTERM, then finishes what it has",
    env: { DRAIN_SECONDS: "3" },
    files: [],
  },
  "late-exit": {
    title: "serves on for 3 s after SIGTERM without telling its health check, then exits at once",
    env: { DRAIN_SECONDS: "3", SHUTDOWN_TIMEOUT_SECONDS: "3.001", BENCH_CHECK: "/healthz" },
    files: [],
  },
  abrupt: {
    title: "exits at SIGTERM at once, whatever it is doing",
    env: { DRAIN_SECONDS: "0", SHUTDOWN_TIMEOUT_SECONDS: "0.001" },
    files: [],
  },
  announced: {
    title:
      "exits at SIGTERM at once, a second after Compose has begun its pre_stop hook (`sleep 1`)",
    env: { DRAIN_SECONDS: "0", SHUTDOWN_TIMEOUT_SECONDS: "0.001" },
    files: ["hook.yaml"],
  },
  slow: {
    title: "listens 2 s after its start",
    env: { DRAIN_SECONDS: "3", START_DELAY_MS: "2000" },
    files: [],
  },
  light: {
    title: "listens within milliseconds and answers out of its configuration (nginx)",
    env: {},
    files: ["light/compose.yaml"],
  },
};
