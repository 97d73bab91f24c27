// What a kind of fault is: what it takes part of, for how long, what it may cost and why. Does nothing by itself.
import type { Hand } from "./hand.ts";

/** Parts of the stack that a fault changes. Two faults that share one are never brought at once. */
export type Part =
  | "nginx"
  | "confd"
  | "apply"
  | "sweep"
  | "volume"
  | "etcd"
  | "keys"
  | "registrator"
  | "socket-proxy"
  | "dashboard"
  | "instances"
  | "strangers";

/** Requests that a kind of fault may cost, and why. What it does not say is not to fail. */
export interface Allowance {
  /** Any ending, as many as there are, while the fault lasts and for `after` s. For what cuts off all clients. */
  readonly outage?: { readonly after: number };
  /**
   * What was under way at the moments at which something ended that had requests in hand, and nothing that came later.
   * `instance`: one is gone, so a POST, and a GET whose answer has begun; any other GET is sent again. `edge`: it is
   * nginx's own, and nobody is left to send anything again.
   */
  readonly inHand?: "instance" | "edge";
  /** So many at most that wait for an answer that cannot come. */
  readonly hung?: number;
  readonly because: string;
}

/** What the schedule has to know of a kind of fault. */
export interface Declared {
  readonly name: string;
  readonly parts: readonly Part[];
  /** How long it lasts, in s, from and to. */
  readonly lasts: readonly [number, number];
  /** Instances that cannot answer meanwhile. */
  readonly harms?: number;
  /** Discovery does not follow meanwhile: who comes is not seen, who goes is still sent requests. */
  readonly blinds?: boolean;
  /** What is held or hidden must not be removed meanwhile, or the requests in its hands would be lost. */
  readonly scales?: "up only" | "none";
}

/** A kind of fault. */
export interface Kind extends Declared {
  /** How long after its healing all has to be right again, in s: what the failure tables say, generously. */
  readonly heals: number;
  readonly may?: Allowance;
  /** It may take instances out of what is live that nothing has happened to, and why. */
  readonly drops?: string;
  readonly act: (hand: Hand, who: number) => Promise<unknown>;
  readonly heal: (hand: Hand, who: number) => Promise<unknown>;
}

/** For `act` or `heal` where there is nothing to do. */
export const nothing = () => Promise.resolve();

/** nginx sends nothing twice that may have been carried out, and nothing whose answer a client has begun to get. */
export const TAKEN_ALONG: Allowance = {
  inHand: "instance",
  because: "who ends takes along the POSTs in its hands, and GETs whose answer had begun",
};
