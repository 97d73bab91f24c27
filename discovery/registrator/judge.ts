// The verdict on one instance: its state and the reason, in one plain sentence. Pure, without memory.
import type { Container, Instance, State } from "../instance.ts";

/** What the probes of one endpoint have found so far. */
export interface Probing {
  passed: boolean;
  /** A probe has said something, or a predecessor's registration counts as one that passed. */
  judged: boolean;
  /** Failed probes in a row. */
  failures: number;
  /** What the last probe said. */
  detail: string;
}

/** Everything a verdict rests on. */
export interface Case {
  readonly container: Container;
  readonly instance: Instance;
  /** Why the container is leaving, where it is. */
  readonly leaving: string | undefined;
  readonly probing: Readonly<Probing> | undefined;
  /** The state until now. */
  readonly before: State | undefined;
}

/** A state and why. */
export interface Judgement {
  readonly state: State;
  readonly reason: string;
}

/** Contract 3 in order of weight: leaving beats paused beats unhealthy beats what admits. */
export function judge({ container, instance, leaving, probing, before }: Case): Judgement {
  if (leaving !== undefined) return { state: "draining", reason: leaving };
  if (container.paused) {
    return { state: "paused", reason: "It is paused: docker unpause brings it back." };
  }
  if (container.health === "unhealthy") {
    const reason = "Its HEALTHCHECK fails: docker inspect shows what the check said.";
    return { state: "unhealthy", reason };
  }
  const { check, address, port } = instance;
  if (check.kind === "none") return { state: "up", reason: "It runs (UDP is not probed)." };
  if (check.kind === "docker") {
    return container.health === "healthy"
      ? { state: "up", reason: "Its HEALTHCHECK passes." }
      : { state: "starting", reason: "Its HEALTHCHECK has not passed yet." };
  }
  const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const what = check.kind === "http" ? `GET http://${where}${check.path}` : where;
  if (probing?.passed) return { state: "up", reason: `${what} answers.` };
  return {
    state: before === "up" || before === "unhealthy" ? "unhealthy" : "starting",
    reason: probing?.detail ? `${what}: ${probing.detail}.` : `${what} has not answered yet.`,
  };
}
