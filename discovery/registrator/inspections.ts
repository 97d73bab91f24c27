// Asks Docker about containers, a few at a time. Owns the order of the questions, not what the answers mean.

/** What inspections need from outside. */
export interface InspectionsOptions {
  /** Asks about one container and notes the answer; false when Docker did not answer. Never throws. */
  readonly inspect: (id: string) => Promise<boolean>;
  /** How many are asked at the same time. */
  readonly atOnce: number;
}

interface Waiting {
  readonly answered: Promise<boolean>;
  readonly answer: (answered: boolean) => void;
}

/** One question at a time about each container: so no answer is overtaken by an older one. */
export class Inspections {
  private readonly waiting = new Map<string, Waiting>();
  private readonly asking = new Set<string>();

  constructor(private readonly options: InspectionsOptions) {}

  /** Whether Docker is being asked about it right now: what happens to it may be missing in the answer. */
  underWay(id: string): boolean {
    return this.asking.has(id);
  }

  /** Asks about each, after now. Resolves when all were asked; true when Docker answered for each. */
  async of(ids: Iterable<string>): Promise<boolean> {
    const all = [...new Set(ids)].map((id) => {
      const waiting = this.waiting.get(id);
      if (waiting) return waiting.answered;
      const { promise: answered, resolve: answer } = Promise.withResolvers<boolean>();
      this.waiting.set(id, { answered, answer });
      return answered;
    });
    this.start();
    return (await Promise.all(all)).every((answered) => answered);
  }

  private start(): void {
    for (const [id, { answer }] of this.waiting) {
      if (this.asking.size >= this.options.atOnce) return;
      if (this.asking.has(id)) continue; // asked again when the answer is there
      this.waiting.delete(id);
      this.asking.add(id);
      this.options.inspect(id).then((answered) => {
        this.asking.delete(id);
        answer(answered);
        this.start();
      });
    }
  }
}
