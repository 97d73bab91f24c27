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

/** Requests that a kind of fault may cost. */
export interface Allowance {
  /** Any ending, as many as there are, while the fault lasts and for `after` s. For what cuts off all clients. */
  readonly outage?: { readonly after: number };
  /** So many at most, from the fault until all is right again. */
  readonly gets?: number;
  readonly posts?: number;
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

/** A POST is not sent twice once it has been sent: whoever held it and is gone has taken it along. */
export const IN_HAND = "a POST in the hands of an instance that ends is lost";
