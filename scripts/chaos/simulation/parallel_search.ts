// Shares a search among threads, one for each core. Owns no schedule and no rule.

/** What a thread is told: to run so many schedules, the first of them with `seed`. */
export interface Portion<Bug> {
  readonly seed: number;
  readonly schedules: number;
  readonly bug?: Bug | undefined;
}

/** What a thread answers. */
export interface Searched<Found> {
  readonly found: Found | undefined;
  readonly schedules: number;
  /** Simulated time, in ms, and real time, in s. */
  readonly simulated: number;
  readonly seconds: number;
}

/** How a search is shared. */
export interface Sharing {
  /** Told now and then how many have run. */
  readonly each?: (ran: number) => void;
  readonly threads?: number;
  /** The module of a thread: it answers each `Portion` with a `Searched`. */
  readonly worker: string;
  /** How many schedules a thread is given at once: enough that fetching more costs nothing. */
  readonly portion: number;
}

/**
 * Searches until one thread has found something. Which of several violations that is depends on how
 * fast the threads are.
 */
export async function parallelSearch<Found, Bug>(
  { seed, schedules, bug }: Portion<Bug>,
  { each = () => {}, threads = navigator.hardwareConcurrency, worker, portion }: Sharing,
): Promise<Searched<Found>> {
  const began = performance.now();
  let given = 0;
  let found: Found | undefined;
  let [ran, simulated] = [0, 0];
  const work = async () => {
    const thread = new Worker(worker, { type: "module" });
    try {
      while (given < schedules && found === undefined) {
        const count = Math.min(portion, schedules - given);
        const answer = ask<Found, Bug>(thread, { seed: seed + given, schedules: count, bug });
        given += count;
        const result = await answer;
        found ??= result.found;
        ran += result.schedules;
        simulated += result.simulated;
        each(ran);
      }
    } finally {
      thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return { found, schedules: ran, simulated, seconds: (performance.now() - began) / 1000 };
}

/** What a thread does, for as long as it is told to search. */
export function answerPortions<Found, Bug>(
  search: (portion: Portion<Bug>) => Searched<Found> | Promise<Searched<Found>>,
): void {
  const thread = self as unknown as {
    onmessage: (message: MessageEvent<Portion<Bug>>) => void;
    postMessage: (answer: Searched<Found>) => void;
  };
  thread.onmessage = async ({ data }) => thread.postMessage(await search(data));
}

function ask<Found, Bug>(worker: Worker, portion: Portion<Bug>): Promise<Searched<Found>> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Searched<Found>>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`Cannot search: ${event.message}`));
    };
    worker.postMessage(portion);
  });
}
