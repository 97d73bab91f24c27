// The stacks that are compared: where their compose files lie, and what the harness has to know of each. Starts none.

/** A stack under test. */
export interface Subject {
  /** As it is typed and as it stands in results. */
  readonly name: string;
  /** One line for the report: what it is, with which settings. */
  readonly title: string;
  /** Compose files below this folder, or absolute; the first one's folder is the project's. */
  readonly files: readonly string[];
  /** What is started; undefined: everything in the files. */
  readonly services?: readonly string[];
  /** The compose service that is scaled. */
  readonly scaled: string;
  /** Whether it follows `--scale`. One that does not is measured with three fixed instances. */
  readonly follows: boolean;
  /** Images that are not built here: variable and default, as in the compose file. */
  readonly images: Readonly<Record<string, string>>;
  /** Settings for its compose file. */
  readonly env?: Readonly<Record<string, string>>;
  /** The Host header that its routing asks for; undefined: any will do. */
  readonly host?: string;
  /** A stack that is not ours: where it answers. */
  readonly yours?: Yours;
  /** Log lines that tell of a reload. */
  readonly reloads?: { readonly service: string; readonly line: RegExp };
}

/** Where a stack of somebody else's answers, and what it can be asked. */
export interface Yours {
  readonly port: number;
  /** Answered with 2xx by every instance. */
  readonly getPath: string;
  /** Takes a POST of JSON; undefined: only GETs are sent. */
  readonly postPath: string | undefined;
}

const nginx = { NGINX_IMAGE: "nginx:1.30" };

export const subjects: readonly Subject[] = [
  {
    name: "rollcall",
    title: "Rollcall, its own compose.yaml",
    files: ["../../../compose.yaml", "rollcall/compose.yaml"],
    services: ["nginx", "etcd", "registrator", "socket-proxy", "service"],
    scaled: "service",
    follows: true,
    images: {},
    reloads: { service: "nginx", line: /"event":"live"/ },
  },
  {
    name: "static",
    title: "nginx with three fixed upstreams: the limit, follows nothing",
    files: ["static/compose.yaml"],
    scaled: "service",
    follows: false,
    images: nginx,
  },
  {
    name: "resolve",
    title: "nginx `server … resolve`, Docker's DNS asked every second",
    files: ["resolve/compose.yaml"],
    scaled: "service",
    follows: true,
    images: nginx,
  },
  {
    name: "traefik",
    title: "Traefik with its Docker provider, throttle 0 s",
    files: ["traefik/compose.yaml"],
    scaled: "service",
    follows: true,
    images: { TRAEFIK_IMAGE: "traefik:v3.7" },
    env: { TRAEFIK_THROTTLE: "0s" },
    reloads: { service: "traefik", line: /Configuration received/ },
  },
  {
    name: "traefik-2s",
    title: "Traefik with its Docker provider, throttle 2 s (its default)",
    files: ["traefik/compose.yaml"],
    scaled: "service",
    follows: true,
    images: { TRAEFIK_IMAGE: "traefik:v3.7" },
    env: { TRAEFIK_THROTTLE: "2s" },
    reloads: { service: "traefik", line: /Configuration received/ },
  },
  {
    name: "nginx-proxy",
    title: "nginx-proxy (docker-gen, nginx)",
    files: ["nginx-proxy/compose.yaml"],
    scaled: "service",
    follows: true,
    images: { NGINX_PROXY_IMAGE: "nginxproxy/nginx-proxy:1.8" },
    host: "bench.localhost",
    reloads: { service: "nginx-proxy", line: /Running 'nginx -s reload'/ },
  },
  {
    name: "caddy-docker-proxy",
    title: "caddy-docker-proxy",
    files: ["caddy-docker-proxy/compose.yaml"],
    scaled: "service",
    follows: true,
    images: { CADDY_DOCKER_PROXY_IMAGE: "lucaslorentz/caddy-docker-proxy:2.9" },
    reloads: { service: "caddy", line: /Successfully configured/ },
  },
  {
    name: "registrator-consul",
    title: "gliderlabs/registrator, Consul, consul-template, nginx: the classic",
    files: ["registrator-consul/compose.yaml"],
    scaled: "service",
    follows: true,
    images: {
      ...nginx,
      REGISTRATOR_IMAGE: "gliderlabs/registrator:v7",
      CONSUL_IMAGE: "hashicorp/consul:1.20",
      CONSUL_TEMPLATE_IMAGE: "hashicorp/consul-template:0.42",
    },
    reloads: { service: "nginx", line: /executing command/ },
  },
];

/** The subject of that name. Throws with the names that there are. */
export function subjectNamed(name: string): Subject {
  const subject = subjects.find((subject) => subject.name === name);
  if (subject) return subject;
  const names = subjects.map(({ name }) => name).join(", ");
  throw new Error(`Cannot find subject ${JSON.stringify(name)}: there are ${names}`);
}
