// Faults and changes of an episode as they came about: whom they ended, and whether anybody could see it. Pure.
import { type Kind, TAKEN_ALONG } from "../faults/kind.ts";
import type { Happened } from "../looking/engine_view.ts";
import type { Leaving } from "./late.ts";
import type { Span } from "./span.ts";

/** A fault while it is there, and after it. Times are ms since 1970. */
export interface Active {
  readonly kind: Pick<Kind, "name" | "may" | "blinds">;
  readonly from: number;
  /** When it had been brought. */
  acted: number;
  over: number;
}

/** A change of scale, and the ids of those that it ended. */
export interface Change {
  readonly what: string;
  readonly from: number;
  readonly over: number;
  readonly gone: ReadonlySet<string>;
}

export interface Causes {
  readonly active: readonly Active[];
  readonly changes: readonly Change[];
  /** What Docker has told in this time. */
  readonly events: readonly Happened[];
  /** Ids of instances that exit at SIGTERM at once. */
  readonly abrupt: ReadonlySet<string>;
  /** Names of those that a fault has struck. */
  readonly struck: (fault: string) => readonly string[];
}

const SIGTERM = 15;

/** Whether discovery was blinded at that moment, or had been before it: what is promised is promised after quiet. */
export function isBlind(active: readonly Active[], at: number): boolean {
  return active.some(({ kind, from }) => kind.blinds && from <= at);
}

/** Each fault and change, with the moments at which it ended somebody who had requests in hand. */
export function spansOf({ active, changes, events, abrupt, struck }: Causes): readonly Span[] {
  const ends = (is: (event: Happened) => boolean) =>
    events.filter((event) => event.what === "die" && is(event)).map(({ at }) => ({
      ...{ from: at, to: at },
    }));
  // Who drains has nothing in hand at its end, unless discovery did not see it leave, and sent on.
  const taken = ({ id, at }: Happened) => abrupt.has(id) || isBlind(active, at);
  return [
    ...active.map(({ kind: { name, may }, from, acted, over }): Span => {
      const victims = new Set(struck(name));
      const mine = (event: Happened) => victims.has(event.name) && event.at >= from;
      const violent = may?.inHand !== undefined;
      return {
        ...{ what: name, from, over, may: { ...TAKEN_ALONG, ...may } },
        ends: may?.inHand === "edge"
          ? [{ from, to: acted }]
          : ends((event) => mine(event) && (violent || taken(event))),
      };
    }),
    ...changes.map(({ what, from, over, gone }): Span => ({
      ...{ what, from, over, may: TAKEN_ALONG },
      ends: ends((event) => gone.has(event.id) && taken(event)),
    })),
  ];
}

/** Who was told to stop while discovery could see it; `bound`: so long, in ms, it may take until it is out. */
export function leavingIn(
  { active, events }: Pick<Causes, "active" | "events">,
  bound: number,
): readonly Leaving[] {
  return events
    .filter(({ what, signal, at }) =>
      what === "kill" && signal === SIGTERM && !isBlind(active, at + bound)
    )
    .map(({ id, name, at }) => {
      const end = events.find((event) => event.id === id && event.what === "die" && event.at >= at);
      return { id, name, at, until: end?.at ?? Infinity };
    });
}
