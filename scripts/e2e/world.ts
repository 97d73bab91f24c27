// A stack with instances that come and go, and the comparison of what runs with what etcd and the edge say.
// Owns no fault: see faults.ts.
import { docker, eventually } from "../testing/docker.ts";
import { HOSTS, SERVICES, STATUS } from "../../discovery/keys.ts";
import { decodeRegistration, decodeStatus } from "../../discovery/registration.ts";
import type { Life } from "../bench/measure/lives.ts";
import { MADE_BY_COMPOSE, type Stack } from "./stack.ts";

/** How long keys outlive their registrator here, in s: short, and longer than a successor needs on a busy machine. */
export const TTL = 6;

/** What a stack for faults is started with. */
export const FAULT_SETTINGS = { ROLLCALL_TTL: String(TTL), DRAIN_SECONDS: "1" } as const;

/** An instance that runs. */
export interface Running {
  readonly id: string;
  readonly name: string;
  readonly address: string;
}

/** Where etcd differs from what runs. Both empty: etcd is right. */
export interface Difference {
  /** What runs and has no key, or whose key or status says something else. */
  readonly lost: readonly string[];
  /** Keys and statuses of what does not run. */
  readonly leftOver: readonly string[];
}

/** A stack, and an engine on which its instances run: the first one, as a rule. */
export class World {
  /** Instances that were killed while no dockerd could tell of it, and when (ms since 1970). */
  readonly killedUnseen: Life[] = [];

  /** `engine` runs the Docker client for the engine that has the instances. */
  constructor(
    readonly stack: Stack,
    readonly engine: (...args: readonly string[]) => Promise<string> = docker,
  ) {}

  /** The instances that run now. */
  async running(): Promise<readonly Running[]> {
    const ids = (await this.list("--filter", "status=running")).sort();
    if (ids.length === 0) return [];
    const network = `index .NetworkSettings.Networks "${this.stack.project}_edge"`;
    // None while it is cut off.
    const format = `{{.Id}} {{.Name}} {{with ${network}}}{{.IPAddress}}{{end}}`;
    const lines = await this.engine("inspect", "--format", format, ...ids);
    return lines.trim().split("\n").map((line) => {
      const [id = "", name = "", address = ""] = line.split(" ");
      return { id, name: name.slice(1), address };
    });
  }

  /** One that stands still is started, and one that runs is stopped, gracefully. Resolves when both have happened. */
  async rotate(): Promise<void> {
    const [spare] = await this.list("--filter", "status=exited");
    const [oldest] = await this.running();
    await this.engine("start", spare!);
    await this.engine("stop", oldest!.id);
  }

  /** The same at once, for what must not take as long as a lease: the one that goes is killed. */
  async replace(): Promise<void> {
    const [spare] = await this.list("--filter", "status=exited");
    const [oldest] = await this.running();
    await this.engine("start", spare!);
    await this.engine("kill", "--signal", "KILL", oldest!.id);
  }

  /** Compares etcd with what runs: keys, addresses, statuses and the host's own key. */
  async difference(): Promise<Difference> {
    const running = new Map((await this.running()).map((one) => [one.name, one]));
    const entries = await this.stack.entries("/");
    const lost: string[] = [];
    const leftOver: string[] = [];
    const right = new Set<string>();
    const up = new Set<string>();
    for (const [key, { value }] of entries) {
      if (key.startsWith(SERVICES)) {
        const registration = decodeRegistration(key, value);
        const one = running.get(registration?.container ?? "");
        if (one && one.address === registration?.address) right.add(one.name);
        else leftOver.push(key);
      }
      if (key.startsWith(STATUS)) {
        const status = decodeStatus(value);
        // Others on this machine have statuses too.
        if (status && status.service !== "service") continue;
        if (!running.has(status?.container ?? "")) leftOver.push(key);
        else if (status?.state === "up") up.add(status.container);
      }
    }
    for (const name of running.keys()) if (!right.has(name) || !up.has(name)) lost.push(name);
    if (![...entries.keys()].some((key) => key.startsWith(HOSTS))) lost.push(HOSTS);
    return { lost, leftOver };
  }

  /** Resolves when etcd is right; throws with the difference when it is not so within `within` ms. */
  async right(within: number): Promise<void> {
    await eventually(async () => {
      const { lost, leftOver } = await this.difference();
      if (lost.length + leftOver.length > 0) {
        throw new Error(`etcd is not right: lost ${lost}; left over ${leftOver}`);
      }
    }, { within, every: 20 });
  }

  /** Resolves when exactly those that run answer at the edge; throws when that is not so within `within` ms. */
  async served(within: number): Promise<void> {
    await eventually(async () => {
      const running = (await this.running()).map(({ id }) => id.slice(0, 12)).sort();
      const answering = [...await this.stack.answering(running.length * 4)].sort();
      if (String(answering) !== String(running)) {
        throw new Error(`the edge does not follow: ${answering} answer, ${running} run`);
      }
    }, { within, every: 100 });
  }

  private async list(...filter: readonly string[]): Promise<string[]> {
    const of = (name: string, value: string) => [
      "--filter",
      `label=com.docker.compose.${name}=${value}`,
    ];
    const ids = await this.engine(
      ...[
        "ps",
        "--all",
        "--quiet",
        "--no-trunc",
        "--filter",
        `label=${MADE_BY_COMPOSE}`,
        ...filter,
      ],
      ...[...of("project", this.stack.project), ...of("service", "service")],
    );
    return ids.split("\n").filter((id) => id !== "");
  }
}
