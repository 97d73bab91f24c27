// From one container to its instances, or to the reasons why it has none. Pure; owns the meaning of the labels.
import { type Container, type Instance, type Port, portName, type Rejection } from "../instance.ts";
import { INSTANCE_ID, SERVICE_NAME } from "../keys.ts";
import { balanceOf } from "./balance_of.ts";
import { checkNote, checkOf } from "./check_of.ts";
import { endpointOf, type Reach, reachablePorts } from "./endpoint_of.ts";
import { isLabel } from "./labels.ts";
import {
  declaredPorts,
  generalMetadata,
  hasOwnName,
  isNamed,
  type Metadata,
  metadataFor,
  type Settings,
  settingsOf,
} from "./metadata.ts";
import { isYes, listed, reject, RejectedError, shown } from "./rejected_error.ts";
import { routesOf } from "./routes_of.ts";
import { tagsIn } from "./tags_in.ts";

/** What registration depends on besides the container. */
export interface Rules extends Reach {
  /** Name of the Docker host, first part of every instance's id. */
  readonly host: string;
  /** Register only containers that have a SERVICE_NAME (registrator's `-explicit`). */
  readonly explicit: boolean;
  /** Tags for every instance (registrator's `-tags`). */
  readonly tags: readonly string[];
}

/** What a container amounts to. Both empty: it does not want to be registered. */
export interface Reading {
  readonly instances: readonly Instance[];
  readonly rejections: readonly Rejection[];
}

const COMPOSE_SERVICE = "com.docker.compose.service";
const SWARM_SERVICE = "com.docker.swarm.service.name";
const SWARM_STACK = "com.docker.stack.namespace";
/** One key or one value, in characters. */
const LONGEST_TEXT = 4096;
/** A container's name, which Docker lets be of any length. */
export const LONGEST_NAME = 255;
/** All settings of one port together, in characters: etcd refuses transactions of 1.5 MB. */
const MOST_TEXT = 16_384;
/** More than anybody means to register: images that EXPOSE a range have thousands. */
const MOST_PORTS = 64;
/** Never throws: whatever is wrong with a container comes back as a rejection. */
export function instancesOf(container: Container, rules: Rules): Reading {
  const instances: Instance[] = [];
  const rejections: Rejection[] = [];
  const settings = settingsOf(container);
  const { ports: all, wrong } = portsOf(container, settings);
  const reachable = new Set(reachablePorts(container, all, rules));
  // Of what is out of reach, only a port that somebody has named is worth a word.
  const ports = all.filter((port) => reachable.has(port) || hasOwnName(settings, port.number));
  if (!takesPart(settings, ports, rules)) return { instances, rejections };
  const problem = wholeProblem(settings, ports, wrong, rules);
  if (problem !== undefined) rejections.push({ port: "-", reason: problem });
  for (const port of ports.length > MOST_PORTS ? [] : ports) {
    try {
      const instance = instanceAt(container, settings, port, reachable.size > 1, rules);
      if (instance) instances.push(instance);
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      rejections.push({ port: portName(port), reason: error.message });
    }
  }
  return { instances, rejections };
}

/** Exposed and published ports and those that labels declare, by number; `wrong` are declared ones that are no ports. */
function portsOf(
  { exposed, published }: Container,
  settings: Settings,
): { readonly ports: readonly Port[]; readonly wrong: readonly string[] } {
  const known = [...exposed, ...published.map(({ port }) => port)];
  const ports = new Map(known.map((port) => [portName(port), port]));
  const numbers = new Set(known.map(({ number }) => number));
  const wrong: string[] = [];
  for (const text of declaredPorts(settings)) {
    const number = Number(text);
    if (number < 1 || number > 65535) wrong.push(text);
    else if (!numbers.has(number)) ports.set(String(number), { number, protocol: "tcp" });
  }
  const sorted = [...ports.values()].sort((a, b) =>
    a.number - b.number || (a.protocol < b.protocol ? -1 : 1)
  );
  return { ports: sorted, wrong };
}

/** Whether the container takes part at all: its ports may differ from the whole. */
function takesPart(settings: Settings, ports: readonly Port[], { explicit }: Rules): boolean {
  if (explicit && !isNamed(settings)) return false;
  if (!isYes(generalMetadata(settings).get("ignore"))) return true;
  return ports.length <= MOST_PORTS &&
    ports.some(({ number }) => !isYes(metadataFor(settings, number).get("ignore")));
}

/** What is wrong with the container as a whole. */
function wholeProblem(
  settings: Settings,
  ports: readonly Port[],
  wrong: readonly string[],
  { published }: Rules,
): string | undefined {
  if (wrong.length > 0) {
    const labels = wrong.slice(0, 5).map((port) => `SERVICE_${port.slice(0, 20)}_NAME`);
    return `${listed(labels)}: a port is a number from 1 to 65535. Mend the label.`;
  }
  if (ports.length > MOST_PORTS) {
    return `It exposes ${ports.length} ports, more than ${MOST_PORTS}. Expose fewer, or set SERVICE_IGNORE=true.`;
  }
  if (ports.length === 0 && isNamed(settings) && published) {
    return "It has a SERVICE_NAME but no published port. Add `ports:` to its service, or start the registrator with --internal.";
  }
  if (ports.length === 0 && isNamed(settings)) {
    return "It has a SERVICE_NAME but no port. Add EXPOSE to its image, `expose:` to its service, or a label SERVICE_<port>_NAME.";
  }
}

function instanceAt(
  container: Container,
  settings: Settings,
  port: Port,
  oneOfSeveral: boolean,
  rules: Rules,
): Instance | undefined {
  const metadata = withoutEmpty(metadataFor(settings, port.number));
  if (isYes(metadata.get("ignore"))) return undefined;
  if (rules.explicit && !metadata.get("name")) return undefined;
  limit(metadata);
  limitContainer(container);
  const suffix = oneOfSeveral && !hasOwnName(settings, port.number) ? `-${port.number}` : "";
  const service = nameOf(container, metadata) + suffix;
  if (!SERVICE_NAME.test(service)) {
    const form = "letters, digits, '_', '-', and '.' between them; 63 at most";
    reject("name", `'${shown(service)}' is not a service name (${form})`);
  }
  const id = metadata.get("id") || `${rules.host}:${container.name}:${portName(port)}`;
  if (!INSTANCE_ID.test(id)) {
    reject("id", `'${shown(id)}' is not an instance id (letters, digits, '.', '_', ':', '@', '-')`);
  }
  const endpoint = endpointOf(container, port, metadata.get("network"), rules);
  const note = checkNote(metadata, port);
  return {
    id,
    service,
    ...endpoint,
    ...(endpoint.port === port.number ? {} : { containerPort: port.number }),
    protocol: port.protocol,
    weight: weightOf(metadata),
    tags: tagsOf(metadata, rules, port),
    attrs: Object.fromEntries([...metadata].filter(([key]) => !isLabel(key))),
    routes: routesOf(metadata),
    balance: balanceOf(metadata),
    check: checkOf(metadata, port, container.health),
    ...(note === undefined ? {} : { note }),
  };
}

/** An empty setting is none (registrator: mapDefault()), so that a label can undo a variable; an attr may be empty. */
function withoutEmpty(metadata: Metadata): Metadata {
  return new Map([...metadata].filter(([key, value]) => value !== "" || !isLabel(key)));
}

/** Both stand in every value, and one value that etcd refuses would hold up those of all others. */
function limitContainer({ name, image }: Container): void {
  if (name.length > LONGEST_NAME) {
    throw new RejectedError(
      `Its name is longer than ${LONGEST_NAME} characters. Give it a shorter one (docker rename).`,
    );
  }
  if (image.length > LONGEST_TEXT) {
    throw new RejectedError(
      `Its image's name is longer than ${LONGEST_TEXT} characters. Give it a shorter tag.`,
    );
  }
}

function limit(metadata: Metadata): void {
  let length = 0;
  for (const [key, value] of metadata) {
    length += key.length + value.length;
    if (key.length > LONGEST_TEXT || value.length > LONGEST_TEXT) {
      reject(key, `is longer than ${LONGEST_TEXT} characters. Shorten it`);
    }
  }
  if (length > MOST_TEXT) {
    throw new RejectedError(
      `Its SERVICE_* settings have more than ${MOST_TEXT} characters together. Remove some.`,
    );
  }
}

/**
 * registrator: the image's base name; ours: Swarm's or Compose's service first, as that is what people scale. Swarm's
 * beats Compose's: an image that Compose has built bears Compose's labels, too, and a task of it is no part of that.
 */
function nameOf(container: Container, metadata: Metadata): string {
  const image = container.image.split("@")[0]!.split("/").at(-1)!.split(":")[0]!;
  return metadata.get("name") || swarmService(container) || container.labels[COMPOSE_SERVICE] ||
    image;
}

/** Without the stack's name, which Swarm puts before it: as in the stack's file, and as Compose calls it. */
function swarmService({ labels }: Container): string | undefined {
  const [name, stack] = [labels[SWARM_SERVICE], labels[SWARM_STACK]];
  return stack && name?.startsWith(`${stack}_`) ? name.slice(stack.length + 1) : name;
}

function tagsOf(metadata: Metadata, rules: Rules, { protocol }: Port): readonly string[] {
  return [
    ...tagsIn(metadata.get("tags") ?? ""),
    ...rules.tags,
    ...(protocol === "udp" ? ["udp"] : []),
  ];
}

function weightOf(metadata: Metadata): number {
  const text = metadata.get("weight")?.trim() ?? "1";
  if (!/^\d{1,4}$/.test(text) || Number(text) > 1000) {
    reject("weight", `'${shown(text)}' is not a whole number from 0 to 1000`);
  }
  return Number(text);
}
