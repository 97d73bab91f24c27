// A limit of time on one call. Owns no retry.

/**
 * Calls `work` with a signal that fires after `ms` milliseconds or together with `signal`; throws the
 * reason of whichever fired. Leaves neither a timer nor a listener behind, which AbortSignal.timeout()
 * and AbortSignal.any() do: thousands of probes would pile them up.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const late = () => stop.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
  const abort = () => stop.abort(signal?.reason);
  const timer = setTimeout(late, ms);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await work(stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
