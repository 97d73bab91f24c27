// One running container as the registrator knows it: facts, what its probes found, its states. Pure; owns no other container.
import { type Container, type Instance, portName } from "../instance.ts";
import { serviceKey, statusKey } from "../keys.ts";
import {
  encode,
  inRotation,
  type Registration,
  registrationOf,
  type Status,
} from "../registration.ts";
import { type Claim, claimOf } from "./claims.ts";
import type { Leaving } from "./departures.ts";
import { instancesOf, LONGEST_NAME, type Reading, type Rules } from "./instances_of.ts";
import { judge, type Judgement, type Probing } from "./judge.ts";
import { FALL, type Finding, type Target } from "./target.ts";

/** What the keys of one instance, or of one rejection, are made of. */
export interface Line {
  readonly container: Container;
  readonly statusKey: string;
  readonly status: Status;
  /** `status`, encoded. */
  readonly statusValue: string;
  /** Set while the instance may get traffic. */
  readonly registered:
    | { readonly key: string; readonly value: string; readonly claim: Claim }
    | undefined;
}

/** What a predecessor wrote: the registration at a key of /services, the status of a port of this container. */
export interface Legacy {
  readonly registration: (key: string) => Registration | undefined;
  readonly status: (key: string) => Status | undefined;
}

interface Probed extends Probing {
  readonly target: Target;
}

/** A state, why, and since when (ISO time). */
interface Standing extends Judgement {
  readonly since: string;
  readonly byHand: true | undefined;
}

/** One life of one container: its next start makes another of it. */
export class Tracked {
  private reading: Reading;
  private probed: ReadonlyMap<string, Probed> = new Map();
  private readonly standings = new Map<string, Standing>();
  private rendered: readonly Line[] | undefined;

  /**
   * `asOf`: when its facts were asked for or heard, in ms. `before`: what was known of the same
   * container until now. A predecessor's registration counts as a passed probe, and where its
   * statuses still hold, they hold since then.
   */
  constructor(
    public container: Container,
    public asOf: number,
    private readonly rules: Rules,
    before?: Tracked,
    legacy?: Legacy,
  ) {
    this.reading = instancesOf(container, rules);
    const earlier = before?.container.startedAt === container.startedAt ? before : undefined;
    for (const [port, standing] of earlier?.standings ?? []) this.standings.set(port, standing);
    const inherited = !earlier && legacy ? this.inherit(legacy) : undefined;
    this.probed = this.probings(earlier?.probed ?? new Map(), inherited);
  }

  /** Returns the ports whose registration counts: it was made for this life and this endpoint. */
  private inherit({ registration, status }: Legacy): ReadonlySet<string> {
    const { container, reading, rules } = this;
    const passed = new Set<string>();
    const mine = ({ since }: { readonly since: string }) =>
      Date.parse(since) >= Date.parse(container.startedAt);
    for (const instance of reading.instances) {
      const heir = registration(serviceKey(instance.service, instance.id));
      const fits = heir?.address === instance.address && heir.port === instance.port;
      if (fits && mine(heir)) passed.add(portOf(instance));
    }
    const ports = [...reading.instances.map(portOf), ...reading.rejections.map(({ port }) => port)];
    for (const port of ports) {
      const before = status(statusKey(rules.host, container.id, port));
      if (!before || !mine(before) || (inRotation(before.state) && !passed.has(port))) continue;
      const { state, reason, since, byHand } = before;
      this.standings.set(port, { state, reason, since, byHand });
    }
    return passed;
  }

  /** New facts about the same life; false when they are the old ones. */
  change(change: Partial<Container>, asOf: number): boolean {
    this.asOf = Math.max(this.asOf, asOf);
    const keys = Object.keys(change) as Array<keyof Container>;
    if (keys.every((key) => this.container[key] === change[key])) return false;
    this.container = { ...this.container, ...change };
    this.reading = instancesOf(this.container, this.rules);
    this.probed = this.probings(this.probed);
    return true;
  }

  /** What a probe found; false when the probing it belongs to is over, or it tells nothing new. */
  found(target: Target, { ok, detail }: Finding): boolean {
    const probed = this.probed.get(target.portName);
    if (probed?.target.name !== target.name) return false;
    const { passed, judged, detail: said } = probed;
    probed.failures = ok ? 0 : probed.failures + 1;
    probed.passed = ok || (passed && probed.failures < FALL);
    probed.judged = true;
    probed.detail = detail;
    return passed !== probed.passed || !judged || said !== detail;
  }

  /** From now on it must pass its probes again. */
  doubt(): void {
    for (const probed of this.probed.values()) {
      Object.assign(probed, { passed: false, judged: false, failures: 0, detail: "" });
    }
  }

  /** The endpoints to probe; none while it is paused. */
  targets(): readonly Target[] {
    return this.container.paused ? [] : [...this.probed.values()].map(({ target }) => target);
  }

  /** Whether every probing has come to a verdict. */
  get judged(): boolean {
    return this.container.paused || [...this.probed.values()].every(({ judged }) => judged);
  }

  /** Judges anew; `leaving`: where it is. False when everything stands as before. */
  settle(leaving: Leaving | undefined, now: number): boolean {
    const { container, reading } = this;
    const verdicts = new Map<string, Judgement>();
    for (const instance of reading.instances) {
      const port = portOf(instance);
      const before = this.standings.get(port)?.state;
      const probing = this.probed.get(port);
      const why = leaving?.reason;
      verdicts.set(port, judge({ container, instance, leaving: why, probing, before }));
    }
    for (const { port, reason } of reading.rejections) {
      verdicts.set(port, { state: "rejected", reason });
    }
    let changed = false;
    for (const port of this.standings.keys()) {
      if (!verdicts.has(port)) changed = this.standings.delete(port);
    }
    for (const [port, { state, reason }] of verdicts) {
      const before = this.standings.get(port);
      // A later signal counts: a successor must see that it was sent to this life of the container.
      const began = state === "draining" ? leaving!.since : now;
      const goesOn = before?.state === state && state !== "draining";
      const since = goesOn ? before.since : new Date(began).toISOString();
      if (before?.state === state && before.reason === reason && before.since === since) continue;
      this.standings.set(port, { state, reason, since, byHand: leaving?.byHand });
      changed = true;
    }
    if (changed) this.rendered = undefined;
    return changed;
  }

  /** One line for each instance and each rejection, as last settled. */
  lines(): readonly Line[] {
    return this.rendered ??= [
      ...this.reading.instances.map((instance) => this.line(portOf(instance), instance)),
      ...this.reading.rejections.map(({ port }) => this.line(port, undefined)),
    ];
  }

  private line(port: string, instance: Instance | undefined): Line {
    const { container, rules: { host } } = this;
    const { id, name, image } = container;
    const { state, reason, since, byHand } = this.standings.get(port)!;
    const note = instance?.note;
    const status: Status = {
      ...{ state, reason, since, container: name.slice(0, LONGEST_NAME) },
      ...(instance && { service: instance.service, instance: instance.id }),
      ...(note !== undefined && { note }),
      ...(byHand && state === "draining" && { byHand }),
    };
    const registration = instance && inRotation(state)
      ? registrationOf(instance, { host, name, image }, since)
      : undefined;
    return {
      container,
      statusKey: statusKey(host, id, port),
      status,
      statusValue: encode(status),
      registered: instance && registration && {
        key: serviceKey(instance.service, instance.id),
        value: encode(registration),
        claim: claimOf(instance.service, registration),
      },
    };
  }

  /** Probings go on while endpoint and check are the same; others begin. */
  private probings(
    known: ReadonlyMap<string, Probed>,
    inherited: ReadonlySet<string> = new Set(),
  ): ReadonlyMap<string, Probed> {
    const probed = new Map<string, Probed>();
    for (const instance of this.reading.instances) {
      const port = portOf(instance);
      const target = targetOf(this.container, instance);
      if (target === undefined) continue;
      const before = known.get(port);
      const passed = inherited.has(port);
      probed.set(
        port,
        before?.target.name === target.name
          ? before
          : { target, passed, judged: passed, failures: 0, detail: "" },
      );
    }
    return probed;
  }
}

/** The container's own port, also where the host publishes it on another: statuses and probings go by it. */
function portOf({ port, containerPort: number = port, protocol }: Instance): string {
  return portName({ number, protocol });
}

function targetOf(container: Container, instance: Instance): Target | undefined {
  const { address, port, check } = instance;
  if (check.kind !== "tcp" && check.kind !== "http") return undefined;
  const { id: containerId, startedAt } = container;
  const name = [containerId, startedAt, address, portOf(instance), JSON.stringify(check)].join(" ");
  return { name, containerId, portName: portOf(instance), address, port, check };
}
