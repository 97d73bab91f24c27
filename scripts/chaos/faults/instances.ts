// Faults of instances, and strangers beside them. Owns what each may cost.
import { docker } from "../../testing/docker.ts";
import { connect, cut } from "./containers.ts";
import type { Hand } from "./hand.ts";
import { HOSTILE_LABELS } from "./hostile.ts";
import { type Kind, nothing, TAKEN_ALONG } from "./kind.ts";

const common = { parts: ["instances"], heals: 40, harms: 1 } as const;
/** nginx keeps so many connections to a service's instances open, by worker: see upstreams.conf.tmpl. */
const KEPT = 64;

const CRASHING = "an instance that crashes again and again";

/** A fault of so many instances. */
function struck(
  name: string,
  about: Omit<Kind, "name" | "act" | "heal" | keyof typeof common> & Partial<Kind>,
  act: (hand: Hand, victim: string) => Promise<unknown>,
  heal: (hand: Hand, victim: string) => Promise<unknown>,
): Kind {
  const kind = { ...common, ...about };
  return {
    ...kind,
    name,
    act: async (hand, who) => {
      await Promise.all(
        (await hand.strike(name, who, kind.harms)).map((victim) =>
          hand.tolerantly(act(hand, victim))
        ),
      );
    },
    heal: (hand) => hand.each(name, (victim) => heal(hand, victim)),
  };
}

export const INSTANCES: readonly Kind[] = [
  struck(
    "an instance SIGKILLed, started again",
    { lasts: [0, 8], may: TAKEN_ALONG },
    (_, victim) => docker("kill", "--signal", "KILL", victim),
    (_, victim) => docker("start", victim),
  ),
  struck(
    "two instances SIGKILLed at once, started again",
    { lasts: [0, 8], may: TAKEN_ALONG, harms: 2 },
    (_, victim) => docker("kill", "--signal", "KILL", victim),
    (_, victim) => docker("start", victim),
  ),
  struck(
    "an instance crashes, brought back by Docker",
    { lasts: [0, 0], may: TAKEN_ALONG },
    (hand, victim) => hand.signal(victim, "service", "KILL").catch(nothing), // killed with it
    (hand, victim) => hand.untilRunning(victim),
  ),
  struck(
    "an instance restarted",
    { lasts: [0, 0] },
    (_, victim) => docker("restart", "--time", "10", victim),
    nothing,
  ),
  struck(
    "an instance paused",
    { lasts: [2, 12], scales: "none" },
    (_, victim) => docker("pause", victim),
    (_, victim) => docker("unpause", victim),
  ),
  struck(
    "an instance SIGSTOPped",
    { lasts: [2, 12], scales: "up only" },
    (hand, victim) => hand.signal(victim, "service", "STOP"),
    (hand, victim) => hand.signal(victim, "service", "CONT"),
  ),
  struck(
    "an instance unhealthy",
    { lasts: [6, 12] },
    (hand, victim) => hand.sh(victim, "touch /tmp/sick"),
    (hand, victim) => hand.sh(victim, "rm -f /tmp/sick"),
  ),
  struck(
    "an instance cut from the network",
    {
      lasts: [3, 12],
      scales: "up only",
      may: {
        hung: KEPT * navigator.hardwareConcurrency,
        because:
          "what is sent on a connection that nginx keeps waits for an answer that cannot come",
      },
    },
    (hand, victim) => cut(hand, "edge", victim),
    (hand, victim) => connect(hand, "edge", victim, "service"),
  ),
  {
    ...common,
    name: CRASHING,
    parts: ["instances", "strangers"],
    harms: 0,
    lasts: [6, 14],
    may: TAKEN_ALONG,
    act: async (hand) => {
      const name = `${hand.project}-crashing`;
      hand.remember(CRASHING, [name]);
      await stranger(
        hand,
        { SERVICE_NAME: "service", SERVICE_CHECK_HTTP: "/readyz" },
        ...["--name", name, "--restart", "always", "--entrypoint", "sh", `${hand.project}-service`],
        ...["-c", "/usr/local/bin/service & sleep 2; kill -KILL $!; exit 1"],
      );
    },
    heal: (hand) => removeStrangersOf(hand.project),
  },
  {
    ...common,
    name: "containers with hostile labels",
    parts: ["strangers"],
    harms: 0,
    lasts: [3, 12],
    act: async (hand, who) => {
      for (let i = 0; i < 3; i++) {
        const labels = HOSTILE_LABELS[(who + i) % HOSTILE_LABELS.length]!;
        await stranger(hand, labels, `${hand.project}-service`);
      }
    },
    heal: (hand) => removeStrangersOf(hand.project),
  },
];

/** A container on the instances' network that Compose knows nothing of. */
async function stranger(
  hand: Hand,
  labels: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<void> {
  await docker(
    ...["run", "--detach", "--label", strangersOf(hand.project), "--cap-drop", "ALL", "--init"],
    // The image has labels of Compose, which would make it one of the stack's.
    ...["--label", `com.docker.compose.project=${hand.project}-strangers`],
    ...["--label", "com.docker.compose.service=stranger"],
    ...["--memory", "256m", "--network", `${hand.project}_edge`, "--tmpfs", "/tmp"],
    ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    ...words,
  );
}

/** The label that every stranger has. */
export const STRANGER = "rollcall.chaos.stranger";

/** The label by which strangers are found again. */
export function strangersOf(project: string): string {
  return `${STRANGER}=${project}`;
}

/** Removes the strangers of a project. */
export async function removeStrangersOf(project: string): Promise<void> {
  const filter = ["--filter", `label=${strangersOf(project)}`];
  const ids = (await docker("ps", "--all", "--quiet", ...filter)).split("\n").filter((id) => id);
  if (ids.length > 0) await docker("rm", "--force", ...ids);
}
