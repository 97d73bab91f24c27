// What tests need from Docker: run its client, find a free port, wait for a condition. Owns no stack: see scripts/e2e/stack.ts.
import { delay } from "../../discovery/delay.ts";

/** Runs a program and returns what it printed; throws with its standard error when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) {
    throw new Error(
      `Cannot run ${program} ${args.join(" ")}: exit code is ${code}\n${text(stdout)}${
        text(stderr)
      }`,
    );
  }
  return text(stdout);
}

/** Runs the Docker client; throws with its message when it fails. */
export function docker(...args: readonly string[]): Promise<string> {
  return run("docker", args);
}

const missing = await docker("version", "--format", "{{.Server.Version}}").then(
  () => undefined,
  (cause) => String(cause.message).trim().split("\n").at(-1) ?? "no reason given",
);

/**
 * A test that needs a Docker engine. Without one it is skipped with a line that nobody can
 * overlook; under CI=true that is a failure, as a skipped proof is no proof. `lacking`: why it
 * cannot run for another reason; undefined: there is none.
 */
export function dockerTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
  lacking?: string,
): void {
  const inCi = Deno.env.get("CI") === "true";
  const why = missing ?? lacking;
  if (why !== undefined && !inCi) {
    const what = missing === undefined ? "IT CANNOT RUN HERE" : "NO DOCKER ENGINE";
    const advice = missing === undefined ? "" : "\n!!! Run ./scripts/test";
    console.error(
      `\n!!! SKIPPED, ${what}: ${name}\n!!! ${why.replaceAll("\n", "\n!!! ")}${advice}\n`,
    );
  }
  Deno.test({
    name,
    ignore: why !== undefined && !inCi, // under CI the test runs, and fails
    sanitizeResources: false, // the Docker client's processes end on their own time
    sanitizeOps: false,
    async fn(t) {
      if (missing !== undefined) throw new Error(`Cannot run without a Docker engine: ${missing}`);
      if (lacking !== undefined) throw new Error(`Cannot run here: ${lacking}`);
      await fn(t);
    },
  });
}

/**
 * A TCP port that was free on 127.0.0.1 a moment ago. Below those that Linux gives to outgoing connections: between now
 * and the moment when a container takes it, a load may open thousands of these.
 */
export function freePort(): number {
  for (let tries = 0; tries < 100; tries++) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("Cannot find a free port: a hundred between 12000 and 32000 are taken");
}

/**
 * Calls `fn` until it returns without throwing, and returns what it returned.
 * Throws its last error when `within` milliseconds have passed.
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  { within = 10_000, every = 50 }: { readonly within?: number; readonly every?: number } = {},
): Promise<T> {
  const end = Date.now() + within;
  while (true) {
    try {
      return await fn();
    } catch (cause) {
      if (Date.now() >= end) {
        throw new Error(`Not so within ${within} ms: ${(cause as Error).message}`, { cause });
      }
      await delay(every);
    }
  }
}
