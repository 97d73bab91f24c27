// AbortController as far as the registrator uses it, without what browsers need. Owns no time.

type Listener = () => void;

/** Tells once, in the order in which they came, those who listen. */
class LeanAbortSignal {
  aborted = false;
  reason: unknown;
  private listeners: Listener[] | undefined;

  addEventListener(_: "abort", listener: Listener): void {
    if (this.aborted) return;
    if (this.listeners === undefined) this.listeners = [listener];
    else if (!this.listeners.includes(listener)) this.listeners.push(listener);
  }

  removeEventListener(_: "abort", listener: Listener): void {
    const index = this.listeners?.indexOf(listener) ?? -1;
    if (index >= 0) this.listeners!.splice(index, 1);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  fire(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason ?? ABORTED;
    // One after the other, as one may take back another that has not been told yet.
    while (this.listeners?.length) this.listeners.shift()!();
  }
}

const ABORTED = new DOMException("The signal has been aborted", "AbortError");

/** Deno's own costs more than everything that the registrator does between two of them. */
export class LeanAbortController {
  readonly signal = new LeanAbortSignal();

  abort(reason?: unknown): void {
    this.signal.fire(reason);
  }
}
