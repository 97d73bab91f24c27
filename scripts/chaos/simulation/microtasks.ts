// Gives promises their turn in the middle of a function that runs on. Owns no promise and no time.

/** What Deno itself calls after each of its callbacks. Not part of its API: there is no other way that takes no turn of the event loop. */
interface Core {
  runMicrotasks(): void;
}

const { internal } = Deno as unknown as { readonly internal: symbol };
const core = (Deno as unknown as Record<symbol, { readonly core?: Core }>)[internal]?.core;

/** Everything that promises have ready to run has run. Of no effect where a promise is what calls it. */
export function runMicrotasks(): void {
  core!.runMicrotasks();
}

/** Runs `work` where `runMicrotasks` is of effect. */
export function outsidePromises<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) =>
    setImmediate(() => {
      try {
        let works = false;
        Promise.resolve().then(() => works = true);
        core?.runMicrotasks();
        if (!works) {
          throw new Error("Cannot simulate: this Deno does not run microtasks when asked");
        }
        resolve(work());
      } catch (error) {
        reject(error);
      }
    })
  );
}
