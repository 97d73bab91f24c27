// Shares a search among threads, one for each core. Owns no schedule and no rule.
import type { Order, Result } from "./search.ts";

/** How many schedules a thread is given at once: enough that fetching more costs nothing. */
const PORTION = 500;

/**
 * Searches as `search` does, until one thread has found something. Which of several violations that is
 * depends on how fast the threads are.
 */
export async function parallelSearch(
  { seed, schedules, bug, each = () => {}, threads = navigator.hardwareConcurrency }: Order & {
    /** Told now and then how many have run. */
    readonly each?: (ran: number) => void;
    readonly threads?: number;
  },
): Promise<Result> {
  const began = performance.now();
  let given = 0;
  let total: Omit<Result, "seconds"> = { found: undefined, schedules: 0, simulated: 0 };
  const work = async () => {
    const worker = new Worker(import.meta.resolve("./search_worker.ts"), { type: "module" });
    try {
      while (given < schedules && total.found === undefined) {
        const portion = Math.min(PORTION, schedules - given);
        const result = ask(worker, { seed: seed + given, schedules: portion, bug });
        given += portion;
        const { found, schedules: ran, simulated } = await result;
        total = {
          found: total.found ?? found,
          schedules: total.schedules + ran,
          simulated: total.simulated + simulated,
        };
        each(total.schedules);
      }
    } finally {
      worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return { ...total, seconds: (performance.now() - began) / 1000 };
}

function ask(worker: Worker, order: Order): Promise<Result> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Result>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`Cannot search: ${event.message}`));
    };
    worker.postMessage(order);
  });
}
