// The stack that faults are brought on: Rollcall's own compose.yaml, with what makes it breakable laid over it.
import { docker } from "../testing/docker.ts";
import { Stack } from "../e2e/stack.ts";
import { World } from "../e2e/world.ts";
import { removeStrangersOf, strangersOf } from "./faults/instances.ts";

/** How long keys outlive their registrator here, in s: faults are to last longer as well as shorter. */
export const TTL = 5;
const SETTINGS = { ROLLCALL_TTL: String(TTL) } as const;

/** Who is told to stop gets no new request after this time, in ms. */
export function leavesWithin(patience: number): number {
  return Math.min(8_000, 2_000 * patience);
}

/** Settings of instances that drain: for longer than that, or nobody could tell. */
export function drains(patience: number): Readonly<Record<string, string>> {
  const seconds = leavesWithin(patience) / 1000 + 1;
  return { DRAIN_SECONDS: String(seconds), SHUTDOWN_TIMEOUT_SECONDS: "14" };
}

/**
 * Volumes in memory, so that they can be filled; and a container that has them, as Docker empties those of nobody, and
 * that sees the machine's processes, so that those of others can be held.
 */
function overlay(nginxImage: string): Record<string, unknown> {
  const volume = (size: string, owner: number) => ({
    driver_opts: { type: "tmpfs", device: "tmpfs", o: `size=${size},uid=${owner},gid=${owner}` },
  });
  return {
    services: {
      etcd: { environment: { ETCD_QUOTA_BACKEND_BYTES: String(16 * 2 ** 20) } },
      service: {
        // Besides SERVICE_CHECK_HTTP: so that a fault can make an instance unhealthy.
        healthcheck: {
          test: ["CMD-SHELL", "test ! -e /tmp/sick"],
          ...{ interval: "4s", timeout: "10s", retries: 1 },
        },
      },
      hand: {
        image: nginxImage,
        entrypoint: ["sleep", "infinity"],
        init: true,
        user: "root",
        ...{ network_mode: "none", pid: "host" },
        volumes: ["nginx:/volumes/nginx", "etcd:/volumes/etcd"],
        labels: { SERVICE_IGNORE: "true" },
      },
    },
    volumes: { nginx: volume("4m", 101), etcd: volume("256m", 65532) },
  };
}

/** A stack and what belongs to it. `end` it whatever happens. */
export class Ground {
  private constructor(readonly world: World, private readonly folder: string) {}

  get stack(): Stack {
    return this.world.stack;
  }

  get project(): string {
    return this.stack.project;
  }

  /** The network that nginx and the instances share. */
  get network(): string {
    return `${this.project}_edge`;
  }

  /** Builds and starts one. `overlays`: compose files with a planted defect. */
  static async up(
    instances: number,
    patience: number,
    overlays: readonly string[] = [],
  ): Promise<Ground> {
    const folder = await Deno.makeTempDir({ prefix: "rollcall-chaos-" });
    const file = `${folder}/chaos.compose.yaml`;
    // JSON is YAML.
    await Deno.writeTextFile(
      file,
      JSON.stringify(overlay("${NGINX_IMAGE:-nginx:1.30}"), null, 2),
    );
    const files = ["compose.yaml", file, ...overlays].join(":");
    const stack = new Stack({ ...SETTINGS, ...drains(patience), COMPOSE_FILE: files });
    const ground = new Ground(new World(stack), folder);
    try {
      await stack.compose("up", "-d", "--build", "--scale", `service=${instances}`);
    } catch (error) {
      await ground.end();
      throw error;
    }
    return ground;
  }

  /** Logs of all containers since then, by name; those of containers that are gone are gone. */
  async logs(since: Date): Promise<ReadonlyMap<string, string>> {
    const names = new Set<string>();
    for (const label of [`com.docker.compose.project=${this.project}`, strangersOf(this.project)]) {
      const text = await docker("ps", "-a", "--format", "{{.Names}}", "--filter", `label=${label}`);
      for (const name of text.split("\n")) if (name) names.add(name);
    }
    const logs = new Map<string, string>();
    for (const name of names) {
      const command = new Deno.Command("docker", {
        args: ["logs", "--timestamps", "--since", since.toISOString(), name],
      });
      const { stdout, stderr } = await command.output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      // Docker's own time stands before each line, so both streams can be put into one order.
      const lines = (text(stdout) + text(stderr)).split("\n").filter((line) => line).sort();
      logs.set(name, lines.join("\n") + "\n");
    }
    return logs;
  }

  /** Removes everything. */
  async end(): Promise<void> {
    await removeStrangersOf(this.project);
    await this.stack.discard();
    await Deno.remove(this.folder, { recursive: true });
  }
}
