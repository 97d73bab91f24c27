// What Docker says of a container beyond what registration needs: how it ended, what its HEALTHCHECK said. Owns no verdict.
import { z } from "zod";
import { within } from "../deadline.ts";
import { shown } from "../registrator/rejected_error.ts";

const inspected = z.object({
  State: z.object({
    Status: z.string().default(""),
    ExitCode: z.number().default(0),
    OOMKilled: z.boolean().default(false),
    Error: z.string().default(""),
    FinishedAt: z.string().default(""),
    Health: z.object({
      FailingStreak: z.number().default(0),
      Log: z.array(z.object({ ExitCode: z.number(), Output: z.string().default("") })).nullish(),
    }).nullish(),
  }),
  RestartCount: z.number().default(0),
  Config: z.object({
    Healthcheck: z.object({ Test: z.array(z.string()).nullish() }).nullish(),
  }),
});

/** How a container is, in its own words. */
export interface Condition {
  /** Docker's word: `running`, `exited`, `restarting`, `created` … */
  readonly status: string;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly error: string;
  readonly finishedAt: string;
  readonly restarts: number;
  /** What the HEALTHCHECK runs, and what it said last; undefined where there is none. */
  readonly healthcheck:
    | { readonly test: string; readonly said: string; readonly exitCode: number | undefined }
    | undefined;
}

/** Asks the Engine at `base`; undefined when there is no such container. Throws when it does not answer. */
export async function conditionOf(base: string, id: string): Promise<Condition | undefined> {
  return await within(10_000, undefined, async (signal) => {
    const response = await fetch(`${base}/containers/${encodeURIComponent(id)}/json`, { signal });
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      throw new Error(`Cannot inspect container: status is ${response.status}`);
    }
    return parseCondition(await response.json());
  });
}

/** The reply of `GET /containers/<id>/json`; throws when it is not one. */
export function parseCondition(reply: unknown): Condition {
  const { State, RestartCount, Config } = inspected.parse(reply);
  const last = State.Health?.Log?.at(-1);
  const [kind, ...words] = Config.Healthcheck?.Test ?? [];
  return {
    status: State.Status,
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled,
    error: plain(State.Error),
    finishedAt: State.FinishedAt,
    restarts: RestartCount,
    healthcheck: State.Health && kind !== "NONE"
      ? { test: plain(words.join(" ")), said: plain(last?.Output ?? ""), exitCode: last?.ExitCode }
      : undefined,
  };
}

/** A container may print anything. */
function plain(text: string): string {
  return text.slice(0, 300).trim().split(/\s+/).map((word) => shown(word)).join(" ");
}
