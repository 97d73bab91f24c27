// The verdict on one instance: its state and the reason, in one plain sentence. Pure, without memory.
import type { Container, Instance, State } from "../instance.ts";
import { whatOf } from "./target.ts";

/** Everything a verdict rests on. */
export interface Case {
  readonly container: Container;
  readonly instance: Instance;
  /** Why the container is leaving, where it is. */
  readonly leaving: string | undefined;
  /** Whether its probes count as passed, and what the telling one said. */
  readonly probing: {
    readonly passed: boolean;
    readonly last?: { readonly detail: string } | undefined;
  } | undefined;
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
    if (container.health === "healthy") return { state: "up", reason: "Its HEALTHCHECK passes." };
    const faster = "SERVICE_CHECK_HTTP or SERVICE_CHECK_TCP would tell sooner";
    return { state: "starting", reason: `Its HEALTHCHECK has not passed yet; ${faster}.` };
  }
  const what = whatOf({ address, port, check });
  if (probing?.passed) return { state: "up", reason: `${what} answers.` };
  const fell = before === "up" || before === "unhealthy";
  const detail = probing?.last?.detail;
  const end = detail?.endsWith("?") ? "" : ".";
  const reason = detail ? `${what}: ${detail}${end}` : `${what} has not answered yet.`;
  return { state: fell ? "unhealthy" : "starting", reason };
}
