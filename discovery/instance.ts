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

/** Where Docker publishes a port of a container on its host (`ports:`, `-p`). */
export interface Publication {
  readonly port: Port;
  /** The host's address it is bound to; `0.0.0.0` and `::` are all of them. */
  readonly address: string;
  readonly hostPort: number;
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
  readonly published: readonly Publication[];
  readonly networks: readonly Network[];
  /** The host's address on each network, as the container sees it, by the network's name. */
  readonly gateways: Readonly<Record<string, string>>;
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
    /** GET where it is not set. */
    readonly method?: "GET" | "HEAD";
    /** The statuses that pass, as ranges from the first to the last; 200 to 399 where it is not set. */
    readonly statuses?: readonly (readonly [number, number])[];
    readonly interval: number;
    readonly timeout: number;
  };

/** A host name and a path prefix under which the edge serves a service. */
export interface Route {
  /** As in `www.example.org`, `*.example.org`; empty: any. */
  readonly host: string;
  /** Begins with a slash, ends with none but for `/` itself, and matches whole segments. */
  readonly path: string;
  /** Whether the service gets requests without the prefix. */
  readonly strip: boolean;
}

/** How the edge chooses among a service's instances, as its gate has it (nginx/confd/templates/endpoints.tmpl). */
export const BALANCE =
  /^(?:round_robin|least_conn|hash:client|hash:header:[A-Za-z0-9][A-Za-z0-9-]{0,63})$/;
/** What a service gets that asks for nothing. */
export const ROUND_ROBIN = "round_robin";

/** One endpoint of one container, answering for one service. */
export interface Instance {
  /** registrator's form: `<host>:<container>:<port>[:udp]`, unless SERVICE_ID names another. */
  readonly id: string;
  readonly service: string;
  readonly address: string;
  /** Where it answers at `address`. */
  readonly port: number;
  /** The container's own port, where `port` is the one that it is published on. */
  readonly containerPort?: number;
  readonly protocol: "tcp" | "udp";
  readonly weight: number;
  readonly tags: readonly string[];
  readonly attrs: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
  /** How the edge chooses among the instances of its service. */
  readonly balance: string;
  readonly check: Check;
  /** What its owner asked for and does not get, and why; in one sentence. */
  readonly note?: string;
}

/** Why a container, or one port of it, cannot be registered, and what to do about it. */
export interface Rejection {
  /** As `portName` writes it, or `-` when it concerns the whole container. */
  readonly port: string;
  readonly reason: string;
}

/** Whether an instance is in rotation, and if not, why not. */
export type State = "starting" | "up" | "unhealthy" | "paused" | "draining" | "rejected";
