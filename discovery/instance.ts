// The nouns of discovery: container, port, check, instance. No I/O, no rules.

/** A network a container is on, with the container's address there. */
export interface Network {
  readonly name: string;
  readonly address: string;
  /** Docker's id of the attachment. Each start makes another, so it tells lives apart where addresses do not. */
  readonly endpoint: string;
}

/** A port that a container exposes. */
export interface Port {
  readonly number: number;
  readonly protocol: "tcp" | "udp";
}

/** How a port is written in keys and ids: `80`, `53:udp`. One number may be both. */
export function portName({ number, protocol }: Port): string {
  return protocol === "udp" ? `${number}:udp` : String(number);
}

/** What Docker's HEALTHCHECK says; `none` when the container has no HEALTHCHECK. */
export type Health = "none" | "starting" | "healthy" | "unhealthy";

/** A running container, as much of it as registration needs. */
export interface Container {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly image: string;
  readonly running: boolean;
  readonly paused: boolean;
  readonly health: Health;
  readonly startedAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly exposed: readonly Port[];
  readonly networks: readonly Network[];
  /** `host`, `bridge`, `container:<id>` or the name of a network. */
  readonly networkMode: string;
  /** Number of the signal that `docker stop` sends. */
  readonly stopSignal: number;
  /** How long `docker stop` waits for the container before it kills it, in ms. */
  readonly stopGrace: number;
}

/** What admits an instance and, where it is explicit, keeps it in rotation. Times in ms. */
export type Check =
  | { readonly kind: "docker" }
  | { readonly kind: "none" }
  | { readonly kind: "tcp"; readonly interval: number; readonly timeout: number }
  | {
    readonly kind: "http";
    readonly path: string;
    readonly interval: number;
    readonly timeout: number;
  };

/** A host name and a path prefix under which the edge serves a service. */
export interface Route {
  readonly host: string;
  readonly path: string;
}

/** One endpoint of one container, answering for one service. */
export interface Instance {
  /** registrator's form: `<host>:<container>:<port>[:udp]`, unless SERVICE_ID names another. */
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly weight: number;
  readonly tags: readonly string[];
  readonly attrs: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
  readonly check: Check;
}

/** Why a container, or one port of it, cannot be registered, and what to do about it. */
export interface Rejection {
  /** As `portName` writes it, or `-` when it concerns the whole container. */
  readonly port: string;
  readonly reason: string;
}

/** Whether an instance is in rotation, and if not, why not. */
export type State = "starting" | "up" | "unhealthy" | "paused" | "draining" | "rejected";
