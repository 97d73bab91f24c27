// The health of each link from Docker to nginx, in a sentence. Pure; owns neither the questions nor the looks.

/** `unknown`: it cannot be told from here. */
export type Health = "ok" | "warning" | "broken" | "unknown";

/** One link of the chain. */
export interface Link {
  readonly name: string;
  readonly health: Health;
  /** One sentence: what is so, and where it is broken, what to do. */
  readonly detail: string;
}

/** What is known. Times in ms; an `error` is the message of the last try that failed. */
export interface Facts {
  readonly etcd: { readonly error?: string | undefined; readonly took: number | undefined };
  readonly hosts: ReadonlyArray<{
    readonly host: string;
    readonly version: string;
    /** Seconds until its lease ends; undefined: not asked yet. */
    readonly left: number | undefined;
  }>;
  /** What the registrator says of itself; undefined: it does not answer, or nobody asked. */
  readonly registrator: { readonly docker: boolean; readonly etcd: boolean } | undefined;
  readonly edge: {
    readonly error?: string | undefined;
    readonly generation: string | undefined;
  };
  /** Instances that nginx should serve and does not, or serves and should not, and for how long. */
  readonly behind: { readonly missing: number; readonly extra: number; readonly since: number };
  readonly wanted: number;
}

/** After so many ms a change is late: reloads may be held back for RELOAD_MIN_INTERVAL, and a check may be slow. */
const LATE = 5_000;

/** The chain, in the order in which a change goes through it. */
export function chainOf(facts: Facts): readonly Link[] {
  return [docker(facts), registrator(facts), etcd(facts), confd(facts), nginx(facts)];
}

function docker({ registrator }: Facts): Link {
  const name = "docker";
  if (registrator === undefined) {
    const detail = "Only the registrator sees Docker, and it was not asked.";
    return { name, health: "unknown", detail };
  }
  return registrator.docker
    ? { name, health: "ok", detail: "The registrator follows its events." }
    : {
      name,
      health: "broken",
      detail: "The registrator cannot follow its events: docker compose logs socket-proxy",
    };
}

function registrator({ hosts, etcd, registrator }: Facts): Link {
  const name = "registrator";
  if (etcd.error !== undefined) {
    return { name, health: "unknown", detail: "What it vouches for stands in etcd." };
  }
  if (registrator && !registrator.etcd) {
    const detail = "It does not reach etcd: its keys stay until their lease ends.";
    return { name, health: "broken", detail };
  }
  if (hosts.length === 0) {
    const detail =
      "Nobody vouches, so nginx keeps its last good configuration: docker compose logs registrator";
    return { name, health: "broken", detail };
  }
  const lapsing = hosts.filter(({ left }) => left !== undefined && left <= 3);
  if (lapsing.length > 0) {
    const names = lapsing.map(({ host }) => host).join(", ");
    const detail = `The lease of ${names} is about to end: docker compose logs registrator`;
    return { name, health: "warning", detail };
  }
  const list = hosts.map(({ host, version, left }) =>
    `${host} (${version}${left === undefined ? "" : `, lease ${left} s`})`
  );
  return { name, health: "ok", detail: `Vouches for ${list.join(", ")}.` };
}

function etcd({ etcd: { error, took } }: Facts): Link {
  const name = "etcd";
  if (error !== undefined) {
    const detail =
      `Does not answer (${error}). What is shown is what it said last; nginx serves on.`;
    return { name, health: "broken", detail };
  }
  return took === undefined
    ? { name, health: "unknown", detail: "Not asked yet." }
    : { name, health: "ok", detail: `Answers in ${took < 1 ? "under 1" : Math.round(took)} ms.` };
}

function confd({ edge, etcd, hosts, behind, wanted }: Facts): Link {
  const name = "confd";
  if (edge.error !== undefined || edge.generation === undefined) {
    return { name, health: "unknown", detail: "nginx does not tell what it serves." };
  }
  if (etcd.error !== undefined || hosts.length === 0) {
    const detail = "Keeps the last good configuration while nobody vouches.";
    return { name, health: "unknown", detail };
  }
  const { missing, extra, since } = behind;
  if (missing + extra === 0) {
    return { name, health: "ok", detail: `All ${wanted} that should be live are, and no other.` };
  }
  const detail = `${missing} not live yet, ${extra} still live`;
  return since < LATE ? { name, health: "ok", detail: `${detail}.` } : {
    name,
    health: "warning",
    detail: `${detail}, for ${Math.round(since / 1000)} s: docker compose logs nginx`,
  };
}

function nginx({ edge: { error, generation } }: Facts): Link {
  const name = "nginx";
  if (error !== undefined) {
    return {
      name,
      health: "broken",
      detail: `Does not answer (${error}): docker compose ps nginx`,
    };
  }
  return generation === undefined
    ? { name, health: "unknown", detail: "Not asked yet." }
    : { name, health: "ok", detail: `Serves generation ${generation.slice(0, 12)}.` };
}
