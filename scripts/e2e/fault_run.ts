// One fault on a stack under load: brings it, changes what runs, heals it, and tells what it cost. Owns no list of faults.
import { delay } from "../../discovery/delay.ts";
import { accountFor, failed, type Failure } from "../bench/measure/account.ts";
import { caughtBy, type Life, livesOf } from "../bench/measure/lives.ts";
import { EventWatch } from "../bench/stack/events.ts";
import { type Difference, TTL, type World } from "./world.ts";

/** Something that goes wrong, and is put right again. */
export interface Fault {
  readonly name: string;
  readonly act: (world: World) => Promise<unknown>;
  readonly heal: (world: World) => Promise<unknown>;
  /** How long it lasts at least, in s. */
  readonly lasts?: number;
  /** What becomes different meanwhile; by default one instance goes gracefully and another comes. */
  readonly change?: (world: World) => Promise<unknown>;
  /**
   * The edge cannot hear who leaves before that one has ended: then a POST may go to it at its last moment. Nobody
   * tries one again that may have been carried out.
   */
  readonly blind?: boolean;
  /** The keys of instances that nothing happened to must not be written, let alone be gone for a while. */
  readonly keysStay?: boolean;
}

/** What a fault has cost. */
export interface Cost extends Difference {
  readonly fault: Fault;
  readonly sent: number;
  readonly failed: number;
  readonly failures: readonly Failure[];
  /** Of the failed ones, POSTs that an instance took with it when it ended. Nobody can save these. */
  readonly taken: number;
  /** From the healing's beginning until etcd was right, in s; undefined: it never was. */
  readonly seconds: number | undefined;
  /** Keys that should have stayed as they were, and did not. */
  readonly touched: readonly string[];
  /** What else is not as it should be. */
  readonly wrong: readonly string[];
}

const SIGKILL = 9;
/** Docker tells of a container's end when all that was of it is put away: some time after its connections closed. In ms. */
const TOLD_LATE = 500;
/** How long etcd, and then the edge, have to be right again, in ms: generous, as the machine may be busy. */
const PATIENCE = 30_000;

/** Runs one fault under `rate` requests per second, a fifth of them POSTs, half on kept connections. */
export async function runFault(world: World, fault: Fault, rate: number): Promise<Cost> {
  await world.right(PATIENCE);
  await world.served(PATIENCE);
  const before = await world.stack.entries("/services/");
  const events = new EventWatch(world.stack.project, Date.now());
  const load = await world.stack.load(rate, 1, { postShare: 0.2, freshShare: 0.5 });
  const wrong: string[] = [];
  const noted = (work: Promise<void>) =>
    work.catch((error) => wrong.push((error as Error).message));
  try {
    const from = performance.now();
    await fault.act(world);
    await (fault.change ?? ((world) => world.rotate()))(world);
    await delay(Math.max(0, (fault.lasts ?? 0) * 1000 - (performance.now() - from)));

    const healing = performance.now();
    await fault.heal(world);
    await noted(world.right(PATIENCE));
    const seconds = wrong.length > 0 ? undefined : (performance.now() - healing) / 1000;
    await noted(world.served(PATIENCE));
    await delay(TTL * 1000 + 500); // what hangs on a lease that nobody keeps alive is gone by then

    const end = await world.difference();
    const after = await world.stack.entries("/services/");
    const touched = fault.keysStay
      ? [...before].flatMap(([key, { revision }]) =>
        after.has(key) && after.get(key)!.revision !== revision ? [key] : []
      )
      : [];
    const recording = await load.stop();
    const account = accountFor(recording);
    const sent = account.sent.GET + account.sent.POST;
    await events.stop();
    const instances = events.events.filter(({ service }) => service === "service");
    const lives = [...livesOf(instances, new Map(), recording), ...world.killedUnseen];
    const { underWayAtKill, sentWhileEnding } = caughtBy(endsOf(lives, fault), recording);
    const taken = underWayAtKill.POST + sentWhileEnding.POST;
    const { failures } = account;
    return {
      ...{ fault, sent, failed: failed(account), failures, taken },
      ...{ seconds, touched, wrong, ...end },
    };
  } catch (error) {
    load.kill();
    await events.stop();
    throw error;
  }
}

/** When instances ended such that somebody may have lost a POST by it. */
function endsOf(lives: readonly Life[], { blind }: Fault): Life[] {
  return lives.flatMap((life) => {
    const { died, signal = SIGKILL } = life;
    if (signal === SIGKILL) return [life];
    return blind && died !== undefined ? [{ ...life, killed: died - TOLD_LATE }] : [];
  });
}

/** What is not as promised, in words; empty when all is well. */
export function complaints(
  { failed, failures, taken, lost, leftOver, touched, wrong }: Cost,
): string[] {
  return [
    ...wrong,
    ...(failed > taken
      ? [
        `${failed} requests failed, ${taken} of them POSTs that an instance took with it: ` +
        failures.map(({ count, method, kind, client }) => `${count} ${method} ${kind} ${client}`)
          .join(", "),
      ]
      : []),
    ...lost.map((key) => `lost: ${key}`),
    ...leftOver.map((key) => `left over: ${key}`),
    ...touched.map((key) => `written again: ${key}`),
  ];
}
