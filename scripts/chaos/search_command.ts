// What the commands that search for violations have in common: how arguments are read, progress is told and an end is made.

/** Reads a whole number; throws a TypeError that names the option. */
export function whole(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new TypeError(`--${name} must be a whole number, not '${text}'`);
}

/** Reads the name of a planted bug; throws a TypeError that lists them. */
export function bugNamed<Name extends string>(
  bugs: Readonly<Record<Name, unknown>>,
  name: string,
): Name {
  if (Object.hasOwn(bugs, name)) return name as Name;
  throw new TypeError(`--bug must be one of ${Object.keys(bugs).join(", ")}, not '${name}'`);
}

/** Says every 10 s how many schedules have run. */
export function progress(): (ran: number) => void {
  let said = performance.now();
  return (ran) => {
    if (performance.now() - said < 10_000) return;
    said = performance.now();
    console.log(`  ${ran} schedules, nothing found so far`);
  };
}

/** Ends the process with what `main` returns, with 2 where an argument is wrong. */
export async function exitWith(main: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\nTry --help.`);
    Deno.exit(2);
  }
}
