// Reads SERVICE_* labels and variables by registrator's rules. Owns no meaning of any key but the port in it.
import type { Container } from "../instance.ts";

/** The SERVICE_* settings of one port: lower-case key without the prefix, as registrator has them. */
export type Metadata = ReadonlyMap<string, string>;

interface Setting {
  /** As written; undefined for all ports. */
  readonly port: string | undefined;
  readonly key: string;
  readonly value: string;
}

/** All SERVICE_* settings of one container, from its environment and from its labels. */
export interface Settings {
  readonly env: readonly Setting[];
  readonly labels: readonly Setting[];
}

const FORM = /^SERVICE_(?:(\d+)_)?(.+)$/s;

/** Picks the settings out of everything that a container has. */
export function settingsOf({ env, labels }: Container): Settings {
  return { env: read(env), labels: read(labels) };
}

/**
 * The settings that apply to `port`. Port-specific beats general; within each, label beats
 * environment. Rules: gliderlabs/registrator, bridge/util.go, serviceMetaData(), which lets a
 * port-specific variable beat the same label; Rollcall lets the label win there too.
 */
export function metadataFor({ env, labels }: Settings, port: number): Metadata {
  const found = new Map<string, string>();
  const all = [...env, ...labels];
  for (const { port, key, value } of all) if (port === undefined) found.set(key, value);
  for (const { port: text, key, value } of all) {
    if (text !== undefined && Number(text) === port) found.set(key, value);
  }
  return found;
}

/** The settings for the container as a whole. */
export function generalMetadata(settings: Settings): Metadata {
  return metadataFor(settings, NaN);
}

/**
 * The ports that labels name: `SERVICE_<port>_NAME` declares a port that the image does not EXPOSE.
 * Only labels, as an application may have a variable of that form for itself. Not checked yet:
 * `99999` comes back as it stands.
 */
export function declaredPorts({ labels }: Settings): readonly string[] {
  const ports = new Set<string>();
  for (const { port, key } of labels) if (port !== undefined && key === "name") ports.add(port);
  return [...ports];
}

/** Whether `port` has a name of its own, which spares it the `-<port>` behind the name. */
export function hasOwnName({ env, labels }: Settings, port: number): boolean {
  return [...env, ...labels].some(({ port: text, key }) => Number(text) === port && key === "name");
}

/** Whether it is named at all, as a whole or one of its ports: what `--explicit` asks for. */
export function isNamed({ env, labels }: Settings): boolean {
  return [...env, ...labels].some(({ key, value }) => key === "name" && value !== "");
}

function read(texts: Readonly<Record<string, string>>): readonly Setting[] {
  return Object.entries(texts).flatMap(([name, value]) => {
    const match = FORM.exec(name);
    return match ? [{ port: match[1], key: match[2]!.toLowerCase(), value }] : [];
  });
}
