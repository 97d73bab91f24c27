// Mistakes planted on purpose, by name: what the simulation must find. Real code is altered from outside, for one run only.
import { Departures } from "../../../discovery/registrator/departures.ts";
import type { Entry } from "../../../discovery/etcd/registry.ts";
import { Reconciler, type ReconcilerOptions } from "../../../discovery/registrator/reconcile.ts";
import { Roster } from "../../../discovery/registrator/roster.ts";
import { Tracked } from "../../../discovery/registrator/tracked.ts";
import type { Mistakes } from "./edge.ts";

/** A mistake: in the models of the edge, or in the registrator's own code. */
export interface Bug {
  readonly what: string;
  readonly mistakes?: Mistakes;
  /** Alters real code; returns what undoes it. */
  readonly plant?: () => () => void;
}

/** What of the reconciler nobody else may touch. */
interface ReconcilerInside {
  lease: string | undefined;
  readonly options: ReconcilerOptions;
  ensureLease(): Promise<string>;
  readKeys(): Promise<Map<string, Entry>>;
}

export const BUGS = {
  "list-brings-back": {
    what: "a list that shows a leaving instance running brings it back",
    plant: () => {
      const { listed } = Departures.prototype;
      Departures.prototype.listed = function (running, asOf) {
        return listed.call(this, running, asOf, Infinity); // as if its time were over
      };
      return () => Departures.prototype.listed = listed;
    },
  },
  "absence-believed": {
    what: "the edge makes live what no host vouches for",
    mistakes: { believesAbsence: true },
  },
  "last-change-lost": {
    what: "the edge drops a change that comes too soon after a reload",
    mistakes: { losesLast: true },
  },
  "vouches-early": {
    what: "the registrator vouches before it has judged everybody",
    plant: () => {
      const { judged } = Roster.prototype;
      Roster.prototype.judged = () => true;
      return () => Roster.prototype.judged = judged;
    },
  },
  "pause-ignored": {
    what: "a paused instance stays in rotation",
    plant: () => {
      const { change } = Tracked.prototype;
      Tracked.prototype.change = function ({ paused: _, ...rest }, asOf) {
        return change.call(this, rest, asOf);
      };
      return () => Tracked.prototype.change = change;
    },
  },
  "others-deleted": {
    what: "the registrator takes every key for its own",
    plant: () => {
      const { run } = Reconciler.prototype;
      Reconciler.prototype.run = function (signal) {
        Object.assign((this as unknown as ReconcilerInside).options, { ownerOf: () => "us" });
        return run.call(this, signal);
      };
      return () => Reconciler.prototype.run = run;
    },
  },
  "lease-left": {
    what: "a successor leaves its predecessor's keys on the old lease",
    plant: () => {
      const reconciler = Reconciler.prototype as unknown as ReconcilerInside;
      const { ensureLease, readKeys } = reconciler;
      reconciler.ensureLease = async function () {
        return this.lease ??= await this.options.registry.grant(this.options.ttl);
      };
      reconciler.readKeys = async function () {
        const lease = await this.ensureLease();
        const keys = await readKeys.call(this);
        return new Map([...keys].map(([key, { value }]) => [key, { value, lease }]));
      };
      return () => Object.assign(reconciler, { ensureLease, readKeys });
    },
  },
} as const satisfies Readonly<Record<string, Bug>>;

export type BugName = keyof typeof BUGS;
