// What is excused while something is wrong, and for how long after: the promises of the failure tables, as numbers.

/** Faults of one path, and when it must be right again. Times in ms. */
export class Trouble {
  private active = 0;
  private until = -Infinity;

  begin(): void {
    this.active++;
  }

  /** It is over, and must be healed within `heals` ms. */
  end(now: number, heals: number): void {
    this.active--;
    this.excuse(now + heals);
  }

  /** Something is wrong until then at the latest. */
  excuse(until: number): void {
    this.until = Math.max(this.until, until);
  }

  /** Whether a fault goes on. */
  get goesOn(): boolean {
    return this.active > 0;
  }

  /** All is well: nothing is excused any more. */
  clear(): void {
    this.until = -Infinity;
  }

  /** From then on everything must be right; Infinity while a fault goes on. */
  get soundAt(): number {
    return this.active > 0 ? Infinity : this.until;
  }
}
