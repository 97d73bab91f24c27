// Asks Docker about containers, a few at a time. Owns the order of the questions, not what the answers mean.

/** What inspections need from outside. */
export interface InspectionsOptions {
  /** Asks about one container and notes the answer; false when Docker did not answer. Never throws. */
  readonly inspect: (id: string) => Promise<boolean>;
  /** How many are asked at the same time; urgent ones need not wait for others: they get as many again. */
  readonly atOnce: number;
}

interface Waiting {
  readonly answered: Promise<boolean>;
  readonly answer: (answered: boolean) => void;
}

/** One question at a time about each container: so no answer is overtaken by an older one. */
export class Inspections {
  private readonly waiting = new Map<string, Waiting>();
  private readonly urgent = new Set<string>();
  private readonly asking = new Set<string>();

  constructor(private readonly options: InspectionsOptions) {}

  /** Whether Docker is being asked about it right now: what happens to it may be missing in the answer. */
  underWay(id: string): boolean {
    return this.asking.has(id);
  }

  /**
   * Asks about each, after now; about urgent ones first. Resolves when all were asked; true when
   * Docker answered for each.
   */
  async of(ids: Iterable<string>, { urgent = false } = {}): Promise<boolean> {
    const all = [...new Set(ids)].map((id) => {
      if (urgent) this.urgent.add(id);
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
    const { atOnce } = this.options;
    for (const id of this.urgent) {
      if (this.asking.size >= 2 * atOnce) return;
      this.ask(id);
    }
    for (const id of this.waiting.keys()) {
      if (this.asking.size >= atOnce) return;
      this.ask(id);
    }
  }

  private ask(id: string): void {
    const waiting = this.waiting.get(id);
    if (!waiting || this.asking.has(id)) return; // asked again when the answer is there
    this.waiting.delete(id);
    this.urgent.delete(id);
    this.asking.add(id);
    this.options.inspect(id).then((answered) => {
      this.asking.delete(id);
      waiting.answer(answered);
      this.start();
    });
  }
}
