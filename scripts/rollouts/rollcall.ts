// Finds the Rollcall that leads traffic to the service, and asks it: by its own command in the registrator's container,
// and by nginx's in nginx's. Owns no decision.
import { z } from "zod";
import { ask, askJson, type DockerCli, DockerError } from "./docker_cli.ts";
import { type Edge, EDGE_SCRIPT, parseEdge } from "./edge.ts";

/** One instance as `rollcall ls --json` has it. */
export interface Row {
  readonly containerId: string;
  readonly container: string;
  readonly port: string;
  readonly state: string;
  readonly reason: string;
  readonly key?: string | undefined;
  readonly address?: string | undefined;
  readonly weight?: number | undefined;
}

const listed = z.object({
  instances: z.array(z.object({
    containerId: z.string(),
    container: z.string(),
    port: z.string(),
    state: z.string(),
    reason: z.string(),
    key: z.string().optional(),
    address: z.string().optional(),
    weight: z.number().optional(),
  })),
  drains: z.array(z.object({ container: z.string(), reason: z.string().optional() })),
});

export interface Listing {
  readonly rows: readonly Row[];
  /** Containers that are out of rotation by hand, with the reason that was given. */
  readonly drains: ReadonlyMap<string, string>;
}

/** What a drain by a rollout gives as its reason: by it another rollout knows its own. */
export const DRAIN_REASON = "replaced by a rollout";

/** The Rollcall that serves these networks, on one Docker host. */
export class Rollcall {
  private constructor(
    private readonly docker: DockerCli,
    readonly project: string,
    private readonly registrator: string,
    private readonly edges: readonly string[],
  ) {}

  /** Finds it by its containers: those of `project`, else of the one project that shares a network with the service. */
  static async find(
    docker: DockerCli,
    { project, own, networks }: {
      readonly project?: string | undefined;
      readonly own: string;
      readonly networks: readonly string[];
    },
  ): Promise<Rollcall> {
    const parts = async (service: string) => {
      const format = '{{.ID}}\t{{.Label "com.docker.compose.project"}}\t{{.Networks}}';
      const filter = ["--filter", `label=com.docker.compose.service=${service}`];
      const text = await ask(docker, "ps", "--no-trunc", "--format", format, ...filter);
      return text.split("\n").map((line) => line.split("\t")).filter(([id]) => id).map((
        [id = "", of = "", joined = ""],
      ) => ({ id, of, networks: joined.split(",") }));
    };
    const [registrators, edges] = await Promise.all([parts("registrator"), parts("nginx")]);
    const complete = registrators.filter(({ of }) => edges.some((edge) => edge.of === of));
    const fitting = complete.filter(({ of, networks: joined }) =>
      project !== undefined ? of === project : joined.some((one) => networks.includes(one))
    );
    const [found, ...more] = fitting.some(({ of }) => of === own)
      ? fitting.filter(({ of }) => of === own)
      : fitting;
    if (found === undefined) {
      const there = complete.map(({ of }) => of).join(", ") || "none on this Docker host";
      throw new DockerError(
        `Cannot find ${
          project === undefined
            ? "the Rollcall that shares a network with the service"
            : `Rollcall in project ${project}`
        }: a running registrator and nginx are needed (${there}). Name its project with --rollcall.`,
      );
    }
    if (more.length > 0) {
      const all = [found, ...more].map(({ of }) => of).join(", ");
      throw new DockerError(
        `Several Rollcalls share its networks: ${all}. Say which with --rollcall.`,
      );
    }
    const ownEdges = edges.filter(({ of }) => of === found.of).map(({ id }) => id);
    return new Rollcall(docker, found.of, found.id, ownEdges);
  }

  async list(): Promise<Listing> {
    const ls = ["exec", this.registrator, "rollcall", "ls", "--json"];
    const { instances, drains } = await askJson(this.docker, listed, ...ls);
    return {
      rows: instances,
      drains: new Map(drains.map(({ container, reason = "" }) => [container, reason])),
    };
  }

  /** Out of rotation; resolves when the registrator has done so. Throws when it has not acted. */
  async drain(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const reason = ["--reason", DRAIN_REASON];
    await ask(this.docker, "exec", this.registrator, "rollcall", "drain", ...reason, ...ids);
  }

  /** Takes back the drains of rollouts for these containers; others' drains stay. */
  async undrain(names: readonly string[]): Promise<void> {
    const { drains } = await this.list();
    const ours = names.filter((name) => drains.get(name) === DRAIN_REASON);
    if (ours.length === 0) return;
    await ask(this.docker, "exec", this.registrator, "rollcall", "undrain", ...ours);
  }

  /** Why the container is not in rotation, in words for people. */
  async explain(id: string): Promise<string> {
    const { stdout, stderr } = await this.docker.run(
      ["exec", this.registrator, "rollcall", "explain", id],
    );
    return (stdout.trim() || stderr.trim());
  }

  /** Every nginx of this Rollcall on this Docker host, at this moment. */
  async look(): Promise<readonly Edge[]> {
    const texts = this.edges.map((id) => ask(this.docker, "exec", id, "bash", "-c", EDGE_SCRIPT));
    return (await Promise.all(texts)).map(parseEdge);
  }
}
