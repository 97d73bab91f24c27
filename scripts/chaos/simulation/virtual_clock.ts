// Virtual time: a queue of what happens when. Jumps from one moment to the next; owns no process.

/** Something that will happen, until it is cancelled. */
export interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
  /** Where it is to happen, if not in nature. */
  readonly place: Place | undefined;
}

/** Where things happen: it decides when. */
export interface Place {
  /** How many timers of it are neither due nor cancelled. */
  pending: number;
  deliver(run: () => void): void;
}

/** How often what must hold is looked at, in ms. */
const LOOK = 500;

/** Time in ms since 1970 that passes only by `next`. Of two things due together, the one asked for first comes first. */
export class VirtualClock {
  private time = Date.parse("1970-01-01T01:00:00.000Z"); // small numbers are the fast ones
  private readonly heap: Timer[] = [];
  private ordered = 0;
  private lookAgainAt = 0;

  /** `look` is told now and then that things have stayed as they are until now, before they change. */
  constructor(private readonly look: () => void = () => {}) {}

  readonly now = (): number => this.time;

  /** Calls `run` in `ms` milliseconds, whole ones. */
  in(ms: number, run: () => void, place?: Place): Timer {
    const at = ms > 0 ? this.time + Math.ceil(ms) : this.time;
    const timer: Timer = { at, order: ++this.ordered, run, place };
    if (place !== undefined) place.pending++;
    const { heap } = this;
    let i = heap.length;
    heap.push(timer);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(timer, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = timer;
    return timer;
  }

  /** It will not happen. */
  cancel(timer: Timer): void {
    if (timer.run === undefined) return;
    timer.run = undefined;
    if (timer.place !== undefined) timer.place.pending--;
  }

  /** Goes to the next thing due until `end` and does it; false when there is none, and it is `end` then. */
  next(end: number): boolean {
    while (true) {
      const first = this.heap[0];
      if (first === undefined || first.at > end) {
        this.time = Math.max(this.time, end);
        return false;
      }
      this.pop();
      const { run, place, at } = first;
      if (run === undefined) continue;
      first.run = undefined;
      this.time = at;
      if (at >= this.lookAgainAt) {
        this.lookAgainAt = at + LOOK;
        this.look();
      }
      if (place === undefined) run();
      else {
        place.pending--;
        place.deliver(run);
      }
      return true;
    }
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return;
    let i = 0;
    while (true) {
      let child = 2 * i + 1;
      if (child >= length) break;
      if (child + 1 < length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}
