// One subject as a compose project of its own: bring it up, scale it, remove it. Measures nothing.

import { docker, freePort, run } from "../../testing/docker.ts";
import type { Subject } from "../subjects/subjects.ts";
import { type Backend, backends } from "./backend.ts";
import { benchFolder, rootFolder } from "./folders.ts";

/** A container of a stack. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly service: string;
}

/** What a stack is made of. */
export interface StackOptions {
  readonly subject: Subject;
  readonly backend: Backend;
  /** Names this run of the harness; part of every project and image name. */
  readonly runId: string;
  /** Compose files laid over everything else: a planted defect. */
  readonly overlays?: readonly string[];
}

/** A compose project with a random name and a free port. */
export class Stack {
  readonly subject: Subject;
  readonly project: string;
  readonly port: number;
  private readonly files: readonly string[];
  private readonly env: Record<string, string>;

  constructor({ subject, backend, runId, overlays = [] }: StackOptions) {
    this.subject = subject;
    this.project = `bench-${subject.name}-${runId}-${crypto.randomUUID().slice(0, 4)}`;
    this.port = subject.yours?.port ?? freePort();
    const { env, files } = backends[backend];
    // What somebody else's file says stands as it is.
    if (subject.yours) {
      this.files = subject.files;
      this.env = {};
      return;
    }
    this.files = [...subject.files, ...files].map(pathOf).concat(overlays);
    this.env = {
      ...environment(runId),
      HTTP_PORT: `127.0.0.1:${this.port}`,
      ...subject.env,
      ...env,
    };
  }

  /** Runs `docker compose` for this project; throws with its own words when it fails. */
  compose(...args: readonly string[]): Promise<string> {
    const files = this.files.flatMap((file) => ["-f", file]);
    return run("docker", ["compose", "-p", this.project, ...files, ...args], { env: this.env });
  }

  /** Builds the images that the subject builds itself. */
  build(): Promise<string> {
    return this.compose("build", ...(this.subject.services ?? []));
  }

  /** Starts everything, with so many instances. */
  up(instances: number): Promise<string> {
    return this.scaleAll(instances, this.subject.services ?? []);
  }

  /** Sets the number of instances; the running ones stay as they are. */
  scale(instances: number): Promise<string> {
    return this.scaleAll(instances, [this.subject.scaled]);
  }

  private scaleAll(instances: number, services: readonly string[]): Promise<string> {
    const scale = `${this.subject.scaled}=${instances}`;
    const args = ["-d", "--no-recreate", "--no-build", "--scale", scale, ...services];
    return this.compose("--progress", "quiet", "up", ...args);
  }

  /** The running containers. */
  async containers(): Promise<readonly Container[]> {
    const label = "com.docker.compose";
    const format = `{{.ID}}\t{{.Names}}\t{{.Label "${label}.service"}}`;
    const filter = `label=${label}.project=${this.project}`;
    const lines = await docker("ps", "--no-trunc", "--filter", filter, "--format", format);
    return lines.split("\n").filter((line) => line !== "").map((line) => {
      const [id = "", name = "", service = ""] = line.split("\t");
      return { id, name, service };
    });
  }

  /** The running instances of the scaled service. */
  async instances(): Promise<readonly Container[]> {
    const all = await this.containers();
    return all.filter(({ service }) => service === this.subject.scaled);
  }

  /** What a compose service has logged since then (ms since 1970), without Compose's own prefixes. */
  async logs(service: string, since: number): Promise<string> {
    const from = new Date(since).toISOString();
    return await this.compose("logs", "--no-log-prefix", "--no-color", "--since", from, service);
  }

  /** Removes containers, networks and volumes of this project. */
  async down(): Promise<void> {
    await this.compose("--progress", "quiet", "down", "--volumes", "--remove-orphans", "-t", "2");
  }
}

function pathOf(file: string): string {
  return file.startsWith("/") ? file : new URL(file, `file://${benchFolder}/subjects/`).pathname;
}

function environment(runId: string): Record<string, string> {
  const envFile = `${rootFolder}/.env`;
  return {
    BENCH_RUN: runId,
    BENCH_FOLDER: benchFolder,
    BENCH_SERVICE_IMAGE: `rollcall-bench/service:${runId}`,
    // Compose reads .env from the project's folder only; all subjects are to use the same base images.
    ...(Deno.env.has("COMPOSE_ENV_FILES") || !exists(envFile)
      ? {}
      : { COMPOSE_ENV_FILES: envFile }),
  };
}

function exists(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}
