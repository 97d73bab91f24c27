// What set a change in motion, for the log: remembers each container's last event until the change is written. Owns no
// decision, and the registrator works without it.
import type { Engine } from "../docker/engine.ts";
import type { ContainerEvent } from "../docker/events.ts";
import { signalName } from "../docker/signals.ts";
import type { Changes } from "../etcd/registry.ts";
import { serviceKey, SERVICES, STATUS } from "../keys.ts";
import type { Fields } from "../log.ts";
import { changeId } from "../trace.ts";

interface Known {
  readonly containerId: string;
  readonly since: string;
}

/** Containers whose events are remembered; more have never been written. */
const MOST = 20_000;

/** One for each registrator. Times in ms since 1970. */
export class Origins {
  private readonly events = new Map<string, { readonly name: string; readonly at: number }>();
  /** Who stands behind a key of /services. */
  private readonly holders = new Map<string, Known>();

  constructor(private readonly now: () => number) {}

  /** The same engine, listened to. */
  engine(engine: Engine): Engine {
    const heard = (event: ContainerEvent) => this.heard(event);
    return {
      list: (signal) => engine.list(signal),
      inspect: (id, signal) => engine.inspect(id, signal),
      hostName: (signal) => engine.hostName(signal),
      async *events(onOpen, signal) {
        for await (const event of engine.events(onOpen, signal)) {
          heard(event);
          yield event;
        }
      },
    };
  }

  /** What to log beside each key of /services that these changes have written or deleted. */
  of(changes: Changes, revision: number): ReadonlyMap<string, Fields> {
    const { puts, deletes } = changes;
    const keys = [...deletes, ...puts.keys()].filter((key) => key.startsWith(SERVICES));
    const told = keys.length === 0 ? new Map<string, Known>() : knownIn(puts);
    const fields = new Map<string, Fields>();
    for (const key of keys) {
      const known = told.get(key) ?? this.holders.get(key);
      if (known && puts.has(key)) this.holders.set(key, known);
      else this.holders.delete(key);
      fields.set(key, known ? this.fieldsOf(known, revision) : { revision });
    }
    return fields;
  }

  private heard(event: ContainerEvent): void {
    const { id, action } = event;
    if (action === "destroy") return void this.events.delete(id);
    if (action === "rename" || action === "networks") return;
    // SIGTERM, and not the end that it led to.
    if (action === "die" && this.events.has(id)) return;
    if (this.events.size >= MOST) this.events.clear();
    this.events.set(id, { name: nameOf(event), at: Number(event.at / 1_000_000n) });
  }

  private fieldsOf({ containerId, since }: Known, revision: number): Fields {
    const event = this.events.get(containerId);
    this.events.delete(containerId);
    const decided = Date.parse(since);
    // A change that no event has led to, or one of before: a probe that failed, a registrator that took over.
    const led = event && event.at <= decided + 5;
    return {
      change: changeId(containerId, since),
      ...led && {
        docker: event.name,
        docker_at: new Date(event.at).toISOString(),
        decided_ms: Math.max(0, decided - event.at),
        written_ms: Math.round(this.now() - event.at),
      },
      revision,
    };
  }
}

/** Who stands behind which key, by the statuses that were written with it. They are our own: no need to check them. */
function knownIn(puts: ReadonlyMap<string, string>): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const [key, value] of puts) {
    if (!key.startsWith(STATUS)) continue;
    const { service, instance, since } = JSON.parse(value);
    const containerId = key.split("/").at(-2) ?? "";
    if (service && instance) known.set(serviceKey(service, instance), { containerId, since });
  }
  return known;
}

function nameOf(event: ContainerEvent): string {
  switch (event.action) {
    case "kill":
      return signalName(event.signal);
    case "health":
      return event.health;
    default:
      return event.action;
  }
}
