// The hand that brings faults: what all kinds of them need of the stack. Owns no fault.
import { delay } from "../../../discovery/delay.ts";
import { docker, eventually } from "../../testing/docker.ts";
import type { World } from "../../e2e/world.ts";
import type { Random } from "../simulation/random.ts";
import { type EtcdGateway, etcdGateway } from "./etcd_gateway.ts";

/** Containers of the stack that are not instances. */
export type Service = "nginx" | "etcd" | "registrator" | "socket-proxy" | "dashboard";

/** A hand on one stack. */
export class Hand {
  /** Whom a fault has struck, by the fault: its healing needs to know. */
  private readonly victims = new Map<string, readonly string[]>();

  constructor(readonly world: World, readonly random: Random) {}

  get project(): string {
    return this.world.stack.project;
  }

  name(service: Service): string {
    return this.world.stack.name(service);
  }

  /** Runs a shell line in a container, by its service or its name. */
  sh(container: string, script: string): Promise<string> {
    return docker("exec", container, "sh", "-c", script);
  }

  /** The same in the container that has the stack's volumes, below /volumes, as root. */
  volumes(script: string): Promise<string> {
    return this.sh(`${this.project}-hand-1`, script);
  }

  /** etcd's own JSON gateway, asked from this machine. */
  async etcd(): Promise<EtcdGateway> {
    const format = `{{(index .NetworkSettings.Networks "${this.project}_control").IPAddress}}`;
    const address = (await docker("inspect", "--format", format, this.name("etcd"))).trim();
    return etcdGateway(`http://${address}:2379`);
  }

  /** This machine's address on the network of the instances: nothing listens there on port 1. */
  async gateway(): Promise<string> {
    const format = "{{(index .IPAM.Config 0).Gateway}}";
    return (await docker("network", "inspect", "--format", format, `${this.project}_edge`)).trim();
  }

  /** Chooses `count` of the running instances, and remembers them under the fault's name. */
  async strike(fault: string, who: number, count = 1): Promise<readonly string[]> {
    // A scale change may remove one between Docker's list and the question about it.
    const running = await eventually(() => this.world.running(), { within: 5_000, every: 200 });
    if (running.length < count) throw new Error(`only ${running.length} instances run`);
    const struck = Array.from(
      { length: count },
      (_, i) => running[(who + i) % running.length]!.name,
    );
    this.remember(fault, struck);
    return struck;
  }

  /** Remembers whom a fault strikes. */
  remember(fault: string, names: readonly string[]): void {
    this.victims.set(fault, names);
  }

  /** Whom it has struck. */
  struck(fault: string): readonly string[] {
    return this.victims.get(fault) ?? [];
  }

  /** Does it for each whom the fault has struck. Who is gone meanwhile needs no healing. */
  async each(fault: string, work: (name: string) => Promise<unknown>): Promise<void> {
    for (const name of this.struck(fault)) await this.tolerantly(work(name));
  }

  /** For what a scale change may have made impossible, or needless: who is gone needs no healing. */
  async tolerantly(work: Promise<unknown>): Promise<void> {
    await work.catch((error) => {
      if (!/No such container|is not (paused|running)|already paused/i.test(error.message)) {
        throw error;
      }
    });
  }

  /** Waits until Docker has brought a container back that has ended by itself. */
  async untilRunning(container: string): Promise<void> {
    // What was killed a moment ago may be said to run still.
    await delay(500);
    await eventually(async () => {
      const status = await docker("inspect", "--format", "{{.State.Status}}", container);
      if (status.trim() !== "running") throw new Error(`${container} is ${status.trim()}`);
    }, { within: 50_000, every: 200 });
  }

  /** Sends a signal to a container's first process. */
  signalFirst(container: string, signal: string): Promise<string> {
    return signalFirst(`${this.project}-hand-1`, container, signal);
  }

  /** Sends a signal to the processes of that name in a container. */
  signal(container: string, process: string, signal: string): Promise<string> {
    return this.sh(
      container,
      `for p in /proc/[0-9]*; do read -r c < "$p/comm" || continue; ` +
        `[ "$c" = "${process}" ] && kill -${signal} "\${p#/proc/}"; done; true`,
    );
  }
}

/**
 * Sends a signal to a container's first process, from `sender`, a container that sees the machine's processes. Not by
 * `docker kill`, which takes every signal for a stop: Docker would not bring that container back when it ends by itself.
 * Not from within, where a first process cannot be held.
 */
export async function signalFirst(
  sender: string,
  container: string,
  signal: string,
): Promise<string> {
  const pid = (await docker("inspect", "--format", "{{.State.Pid}}", container)).trim();
  if (pid === "0") throw new Error(`${container} is not running`);
  return await docker("exec", sender, "sh", "-c", `kill -${signal} ${pid}`);
}
