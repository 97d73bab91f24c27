// What is done to the instances while the load runs. One function per scenario; measures nothing itself.

import type { Backend } from "../stack/backend.ts";
import type { Subject } from "../subjects/subjects.ts";
import type { Stage } from "./stage.ts";

/** How much of everything; the harness's settings. */
export interface Extent {
  /** Times 3 → 1 → 3. */
  readonly cycles: number;
  /** Instances of a burst. */
  readonly burst: number;
}

/** Something that is done under load. */
export interface Scenario {
  readonly name: string;
  /** One line for the report. */
  readonly title: string;
  readonly backend: Backend;
  /** Instances at the beginning. */
  readonly instances: number;
  /** Whether kept and new connections are measured in loads of their own. */
  readonly byClient: boolean;
  /** Whether it makes sense for a subject that does not follow `--scale`. */
  readonly forFixed: boolean;
  readonly act: (stage: Stage, extent: Extent, progress: (text: string) => void) => Promise<void>;
}

/** How long the load goes on after each change, in ms: failures may come late. */
const settle = 1_000;

async function cycles(stage: Stage, count: number, progress: (text: string) => void) {
  for (let cycle = 1; cycle <= count; cycle++) {
    progress(`3 → 1, ${cycle} of ${count}`);
    await stage.scale(1);
    await stage.pass(settle);
    progress(`1 → 3, ${cycle} of ${count}`);
    await stage.scale(3);
    await stage.allSeen();
    await stage.pass(settle);
  }
}

async function burst(stage: Stage, { burst }: Extent, progress: (text: string) => void) {
  progress(`1 → ${burst}`);
  await stage.scale(burst);
  await stage.allSeen();
  await stage.pass(settle);
}

export const scenarios: readonly Scenario[] = [
  {
    name: "scale",
    title: "3 → 1 → 3, instances that drain for 3 s",
    backend: "graceful",
    instances: 3,
    byClient: true,
    forFixed: false,
    act: (stage, extent, progress) => cycles(stage, extent.cycles, progress),
  },
  {
    name: "late-exit",
    title: "3 → 1 → 3, instances that serve on for 3 s, tell nobody, then exit at once",
    backend: "late-exit",
    instances: 3,
    byClient: false,
    forFixed: false,
    act: (stage, extent, progress) => cycles(stage, extent.cycles, progress),
  },
  {
    name: "abrupt",
    title: "3 → 1 → 3, instances that exit at SIGTERM at once",
    backend: "abrupt",
    instances: 3,
    byClient: true,
    forFixed: false,
    act: (stage, extent, progress) => cycles(stage, extent.cycles, progress),
  },
  {
    name: "announced",
    title: "3 → 1 → 3, instances that exit at SIGTERM at once, after a pre_stop hook",
    backend: "announced",
    instances: 3,
    byClient: false,
    forFixed: false,
    act: (stage, extent, progress) => cycles(stage, extent.cycles, progress),
  },
  {
    name: "slow-start",
    title: "3 → 1 → 3, instances that listen 2 s after their start",
    backend: "slow",
    instances: 3,
    byClient: false,
    forFixed: false,
    act: (stage, extent, progress) => cycles(stage, Math.ceil(extent.cycles / 3), progress),
  },
  {
    name: "instant",
    title: "3 → 1 → 3, instances that listen at once",
    backend: "light",
    instances: 3,
    byClient: false,
    forFixed: false,
    act: (stage, extent, progress) => cycles(stage, extent.cycles, progress),
  },
  {
    name: "instant-burst",
    title: "1 → 30 at once, instances that listen at once",
    backend: "light",
    instances: 1,
    byClient: false,
    forFixed: false,
    act: burst,
  },
  {
    name: "burst",
    title: "1 → 30 at once",
    backend: "graceful",
    instances: 1,
    byClient: false,
    forFixed: false,
    act: burst,
  },
  {
    name: "crash",
    title: "SIGKILL of one of three, three times",
    backend: "graceful",
    instances: 3,
    byClient: false,
    forFixed: false,
    async act(stage, _, progress) {
      for (let time = 1; time <= 3; time++) {
        progress(`SIGKILL, ${time} of 3`);
        const [victim] = await stage.instances();
        if (victim) await stage.kill(victim, "KILL");
        await stage.pass(3 * settle);
        await stage.scale(3);
        await stage.allSeen();
        await stage.pass(settle);
      }
    },
  },
  {
    name: "steady",
    title: "nothing happens",
    backend: "graceful",
    instances: 3,
    byClient: false,
    forFixed: true,
    async act(stage, _, progress) {
      progress("20 s");
      await stage.pass(20_000);
    },
  },
];

/** Those that make sense for a subject. */
export function scenariosFor(
  subject: Subject,
  wanted: readonly Scenario[],
): readonly Scenario[] {
  return wanted
    .filter(({ forFixed }) => subject.follows || forFixed)
    // How somebody else's instances behave is not ours to choose.
    .filter(({ backend }) => !subject.yours || backend === "graceful");
}

/** The scenario of that name. Throws with the names that there are. */
export function scenarioNamed(name: string): Scenario {
  const scenario = scenarios.find((scenario) => scenario.name === name);
  if (scenario) return scenario;
  const names = [...scenarios.map(({ name }) => name), "throughput"].join(", ");
  throw new Error(`Cannot find scenario ${JSON.stringify(name)}: there are ${names}`);
}
