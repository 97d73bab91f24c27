// Virtual time: a queue of what happens when. Jumps from one moment to the next; owns no process.

/** Something that will happen, until it is cancelled. */
export interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Time in ms since 1970 that passes only by `next`. Of two things due together, the one asked for first comes first. */
export class VirtualClock {
  private time = Date.parse("2026-11-23T03:00:00.000Z");
  private readonly heap: Timer[] = [];
  private ordered = 0;

  readonly now = (): number => this.time;

  /** Calls `run` in `ms` milliseconds. */
  in(ms: number, run: () => void): Timer {
    const timer = { at: this.time + Math.max(0, ms), order: ++this.ordered, run };
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

  /** Goes to the next thing due until `end` and does it; false when there is none, and it is `end` then. */
  next(end: number): boolean {
    while (true) {
      const first = this.heap[0];
      if (first === undefined || first.at > end) {
        this.time = end;
        return false;
      }
      this.pop();
      if (first.run === undefined) continue;
      this.time = first.at;
      first.run();
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
