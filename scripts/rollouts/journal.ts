// Notes on the Docker host what a rollout is about to do, so that the next one can finish it. Owns no plan.
import { z } from "zod";
import { ask, type DockerCli } from "./docker_cli.ts";
import type { Journal } from "./plan.ts";

const LABEL = "rollcall.rollout";
const written = z.object({ old: z.array(z.string()), instances: z.number().int().min(0) });

/**
 * The journal of one service: the label of an empty volume. It lies where the containers are, whoever runs the rollout
 * and from wherever; a file would belong to one user of one machine.
 */
export class JournalVolume {
  private readonly name: string;

  constructor(private readonly docker: DockerCli, project: string, service: string) {
    this.name = `rollcall-rollout-${project}-${service}`;
  }

  async read(): Promise<Journal | undefined> {
    const format = ["--format", `{{index .Labels "${LABEL}"}}`];
    const { code, stdout } = await this.docker.run(["volume", "inspect", ...format, this.name]);
    return code === 0 ? written.parse(JSON.parse(stdout)) : undefined;
  }

  async write(journal: Journal): Promise<void> {
    const label = `${LABEL}=${JSON.stringify(journal)}`;
    await ask(this.docker, "volume", "create", "--label", label, this.name);
  }

  /** Also when there is none. */
  async remove(): Promise<void> {
    await this.docker.run(["volume", "rm", this.name]);
  }
}
