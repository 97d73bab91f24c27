// One running container as the registrator knows it: facts, what its probes found, its states. Pure; owns no other container.
import { type Container, type Instance, portName } from "../instance.ts";
import { serviceKey, statusKey } from "../keys.ts";
import {
  encode,
  encodeRegistration,
  inRotation,
  type LastProbe,
  type Registration,
  registrationOf,
  type Status,
} from "../registration.ts";
import { type Claim, claimOf } from "./claims.ts";
import type { Leaving } from "./departures.ts";
import { instancesOf, LONGEST_NAME, type Reading, type Rules } from "./instances_of.ts";
import { judge, type Judgement } from "./judge.ts";
import { SHORT, trialAfter } from "./lives.ts";
import { type Phase, Probing } from "./probing.ts";
import { type Result, type Target, whatOf } from "./target.ts";

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

/** A state, why, since when (ISO time), and the probe it rests on. */
interface Standing extends Judgement {
  readonly since: string;
  readonly probe: LastProbe | undefined;
  readonly byHand: true | undefined;
}

/** One life of one container: its next start makes another of it. */
export class Tracked {
  private reading: Reading;
  private probed: ReadonlyMap<string, Probing> = new Map();
  private readonly standings = new Map<string, Standing>();
  /** By port, since when those pass that must prove themselves first. */
  private readonly proving = new Map<string, number>();
  private readonly proven = new Set<string>();
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
    private readonly crashes = 0,
  ) {
    this.reading = instancesOf(container, rules);
    const earlier = before?.container.startedAt === container.startedAt ? before : undefined;
    for (const [port, standing] of earlier?.standings ?? []) this.standings.set(port, standing);
    for (const [port, since] of earlier?.proving ?? []) this.proving.set(port, since);
    for (const port of earlier?.proven ?? []) this.proven.add(port);
    const passed = !earlier && legacy ? this.inherit(legacy) : undefined;
    for (const port of passed ?? []) this.proven.add(port);
    this.probed = this.probings(earlier?.probed ?? new Map(), passed);
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
      const { state, reason, since, probe, byHand } = before;
      this.standings.set(port, { state, reason, since, probe, byHand });
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
  found(target: Target, result: Result, now: number): boolean {
    const probing = this.probed.get(target.portName);
    return probing?.target.name === target.name && probing.found(result, now);
  }

  /** Where the probing of a target stands; undefined when it is over. */
  phase({ portName, name }: Target): Phase | undefined {
    const probing = this.probed.get(portName);
    if (probing?.target.name !== name) return undefined;
    return probing.passed && this.proving.has(portName) ? "proving" : probing.phase;
  }

  /** From now on it must pass its probes again. */
  doubt(): void {
    for (const probing of this.probed.values()) probing.doubt();
    this.proven.clear();
  }

  /** The endpoints to probe; none while it is paused. */
  targets(): readonly Target[] {
    return this.container.paused ? [] : [...this.probed.values()].map(({ target }) => target);
  }

  /** Whether every probing has come to a verdict. */
  get judged(): boolean {
    return this.container.paused || [...this.probed.values()].every(({ judged }) => judged);
  }

  /** When it must be settled again though nothing happens, in ms. */
  get due(): number | undefined {
    if (this.proving.size === 0) return undefined;
    return Math.min(...this.proving.values()) + trialAfter(this.crashes);
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
      const verdict = judge({ container, instance, leaving: why, probing, before });
      verdicts.set(port, this.prove(port, verdict, now));
    }
    for (const { port, reason } of reading.rejections) {
      verdicts.set(port, { state: "rejected", reason });
    }
    let changed = false;
    for (const port of this.standings.keys()) {
      if (verdicts.has(port)) continue;
      changed = this.standings.delete(port);
      this.proving.delete(port);
    }
    for (const [port, { state, reason }] of verdicts) {
      const before = this.standings.get(port);
      // A later signal counts: a successor must see that it was sent to this life of the container.
      const began = state === "draining" ? leaving!.since : now;
      const goesOn = before?.state === state && state !== "draining";
      const since = goesOn ? before.since : new Date(began).toISOString();
      const probed = state !== "draining" && state !== "paused"; // those rest on something else
      const probe = probed ? this.probed.get(port)?.last : undefined;
      if (
        before?.state === state && before.reason === reason && before.since === since &&
        before.probe === probe
      ) continue;
      this.standings.set(port, { state, reason, since, probe, byHand: leaving?.byHand });
      changed = true;
    }
    if (changed) this.rendered = undefined;
    return changed;
  }

  /** One that has crashed again and again must pass for a while before it is up. */
  private prove(port: string, verdict: Judgement, now: number): Judgement {
    const trial = trialAfter(this.crashes);
    if (trial === 0 || this.proven.has(port)) return verdict;
    if (verdict.state !== "up") {
      this.proving.delete(port);
      return verdict;
    }
    const since = this.proving.get(port);
    if (since === undefined || this.probed.get(port)?.phase === "wavering") {
      this.proving.set(port, now);
    } else if (now - since >= trial) {
      this.proving.delete(port);
      this.proven.add(port);
      return verdict;
    }
    const often = `${this.crashes} times in a row it ended within ${SHORT / 1000} s of its start`;
    const long = `it is admitted once it has answered for ${trial / 1000} s`;
    return { state: "starting", reason: `${often}: docker logs may say why; ${long}.` };
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
    const { state, reason, since, probe, byHand } = this.standings.get(port)!;
    const note = instance?.note;
    const status: Status = {
      ...{ state, reason, since, container: name.slice(0, LONGEST_NAME) },
      ...(instance && { service: instance.service, instance: instance.id }),
      ...(note !== undefined && { note }),
      ...(byHand && state === "draining" && { byHand }),
      ...(probe && { probe }),
      ...(this.crashes > 0 && { crashes: this.crashes }),
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
        value: encodeRegistration(registration),
        claim: claimOf(instance.service, registration),
      },
    };
  }

  /** Probings go on while endpoint and check are the same; others begin, from what a predecessor wrote. */
  private probings(
    known: ReadonlyMap<string, Probing>,
    passed?: ReadonlySet<string>,
  ): ReadonlyMap<string, Probing> {
    const probed = new Map<string, Probing>();
    for (const instance of this.reading.instances) {
      const port = portOf(instance);
      const target = targetOf(this.container, instance);
      if (target === undefined) continue;
      const before = known.get(port);
      const { state, probe } = this.standings.get(port) ?? {};
      const last = probe?.what === whatOf(target) ? probe : undefined;
      const phase = passed?.has(port)
        ? "passing"
        : state === "unhealthy" && last
        ? "failing"
        : "starting";
      const same = before?.target.name === target.name;
      probed.set(port, same ? before : new Probing(target, phase, last));
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
