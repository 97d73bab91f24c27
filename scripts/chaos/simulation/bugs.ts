// Mistakes planted on purpose, by name: what the simulation must find. Real code is altered from outside, for one run only.
import { Departures } from "../../../discovery/registrator/departures.ts";
import { Roster } from "../../../discovery/registrator/roster.ts";
import type { Mistakes } from "./edge.ts";

/** A mistake: in the models of the edge, or in the registrator's own code. */
export interface Bug {
  readonly what: string;
  readonly mistakes?: Mistakes;
  /** Alters real code; returns what undoes it. */
  readonly plant?: () => () => void;
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
} as const satisfies Readonly<Record<string, Bug>>;

export type BugName = keyof typeof BUGS;
