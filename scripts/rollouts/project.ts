// What Compose and Docker say of the service that is to be rolled out. Owns no decision about it.
import { z } from "zod";
import { ask, askJson, type DockerCli, DockerError } from "./docker_cli.ts";

/** One container of the service. */
export interface Replica {
  readonly id: string;
  readonly name: string;
  /** Docker's word: `running`, `restarting`, `exited` … */
  readonly status: string;
  readonly exitCode: number;
  /** Whether it has the image and the configuration that Compose would give it now. */
  readonly current: boolean;
  readonly addresses: readonly string[];
}

/** The service, as the compose files have it now. */
export interface Service {
  readonly project: string;
  readonly name: string;
  /** How many the compose files ask for. */
  readonly wanted: number;
  /** Why it cannot run twice at a time; empty when it can. */
  readonly obstacles: readonly string[];
  /** Docker's names of its networks. */
  readonly networks: readonly string[];
  readonly replicas: readonly Replica[];
}

const environment = z.record(z.string(), z.string().nullable());
const configured = z.object({
  name: z.string(),
  networks: z.record(z.string(), z.object({ name: z.string() })).nullish(),
  services: z.record(
    z.string(),
    z.object({
      image: z.string().optional(),
      container_name: z.string().optional(),
      network_mode: z.string().optional(),
      scale: z.number().optional(),
      deploy: z.object({ replicas: z.number().optional() }).nullish(),
      ports: z.array(z.object({ published: z.string().optional() })).nullish(),
      labels: environment.nullish(),
      environment: environment.nullish(),
      networks: z.record(
        z.string(),
        z.object({ ipv4_address: z.string().optional(), ipv6_address: z.string().optional() })
          .nullable(),
      ).nullish(),
    }),
  ),
});
type Configured = z.infer<typeof configured>["services"][string];

const inspected = z.array(z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  State: z.object({ Status: z.string(), ExitCode: z.number() }),
  Config: z.object({ Labels: z.record(z.string(), z.string()) }),
  NetworkSettings: z.object({
    Networks: z.record(
      z.string(),
      z.object({ IPAddress: z.string(), GlobalIPv6Address: z.string() }),
    ),
  }),
}));

/** The arguments name something that is not there. */
export class NoSuchServiceError extends Error {
  override readonly name = "NoSuchServiceError";
}

/** Reads the service; `compose` are the words from `compose` to the flags that name project and files. Throws
 * a NoSuchServiceError, or a DockerError with Compose's own words. */
export async function readService(
  docker: DockerCli,
  compose: readonly string[],
  name: string,
): Promise<Service> {
  const config = await askJson(docker, configured, ...compose, "config", "--format", "json");
  const own = config.services[name];
  if (own === undefined) {
    const names = Object.keys(config.services).join(", ");
    throw new NoSuchServiceError(
      `There is no service '${name}' in project ${config.name}: ${names}.`,
    );
  }
  const hashes = await ask(docker, ...compose, "config", "--hash", name);
  const hash = hashes.trim().split(/\s+/)[1];
  const image = await docker.run(
    ["image", "inspect", "--format", "{{.Id}}", own.image ?? `${config.name}-${name}`],
  );
  const imageId = image.code === 0 ? image.stdout.trim() : undefined;
  const label = (key: string, value: string) => [
    "--filter",
    `label=com.docker.compose.${key}=${value}`,
  ];
  const ids = (await ask(
    docker,
    ...["ps", "--all", "--quiet", "--no-trunc"],
    ...label("project", config.name),
    ...label("service", name),
    ...label("oneoff", "False"),
  )).split("\n").filter((id) => id !== "");
  return {
    project: config.name,
    name,
    wanted: own.scale ?? own.deploy?.replicas ?? 1,
    obstacles: obstaclesOf(own),
    networks: Object.keys(own.networks ?? {}).flatMap((key) => config.networks?.[key]?.name ?? []),
    replicas: await readReplicas(docker, ids, { hash, imageId }),
  };
}

/** The containers with these ids; those that are gone are left out. */
export async function readReplicas(
  docker: DockerCli,
  ids: readonly string[],
  { hash, imageId }: { readonly hash?: string | undefined; readonly imageId?: string | undefined } =
    {},
): Promise<readonly Replica[]> {
  if (ids.length === 0) return [];
  const { stdout, stderr } = await docker.run(["container", "inspect", ...ids]);
  // For a container that is gone, Docker writes an error and tells of the others.
  const found = inspected.safeParse(stdout.trim() === "" ? undefined : JSON.parse(stdout));
  if (!found.success) throw new DockerError(`Cannot inspect containers: ${stderr.trim()}`);
  return found.data.map(({ Id, Name, Image, State, Config, NetworkSettings }) => ({
    id: Id,
    name: Name.replace(/^\//, ""),
    status: State.Status,
    exitCode: State.ExitCode,
    current: hash !== undefined && Config.Labels["com.docker.compose.config-hash"] === hash &&
      Image === imageId,
    addresses: Object.values(NetworkSettings.Networks).flatMap((
      { IPAddress, GlobalIPv6Address },
    ) => [IPAddress, GlobalIPv6Address]).filter((address) => address !== ""),
  }));
}

/** Why two containers of it cannot be there at the same time, or Rollcall could not lead traffic to both. */
export function obstaclesOf(service: Configured): readonly string[] {
  const obstacles: string[] = [];
  if (service.container_name !== undefined) {
    obstacles.push(`container_name ${service.container_name}: a name is one container's`);
  }
  for (const { published } of service.ports ?? []) {
    if (published === undefined || published === "" || published === "0") continue;
    if (published.includes("-")) continue; // a range has room for others
    obstacles.push(`port ${published} of the host is published: it is one container's`);
  }
  if (/^(host|container:|service:)/.test(service.network_mode ?? "")) {
    obstacles.push(`network_mode ${service.network_mode}: two would listen on the same port`);
  }
  for (const [network, settings] of Object.entries(service.networks ?? {})) {
    const address = settings?.ipv4_address ?? settings?.ipv6_address;
    if (address) obstacles.push(`address ${address} in network ${network} is one container's`);
  }
  const settings = { ...service.environment, ...service.labels };
  for (const [key, value] of Object.entries(settings)) {
    if (!value) continue;
    if (/^SERVICE_(\d+_)?ID$/.test(key)) {
      obstacles.push(`${key} ${value}: two instances would have the same key in the registry`);
    }
    if (key === "SERVICE_IGNORE" && !/^(false|0|no|off)$/i.test(value)) {
      obstacles.push(`${key} ${value}: Rollcall leads no traffic to it`);
    }
  }
  return obstacles;
}
