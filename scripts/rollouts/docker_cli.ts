// Runs the Docker client, as a person would. Owns no command line.
import { z } from "zod";

/** How a command ended, and what it wrote. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The Docker client. */
export interface DockerCli {
  /** Runs `docker` with these arguments; resolves whatever its exit code. */
  run(args: readonly string[]): Promise<Ran>;
  /** The same, with what it writes shown as it comes; resolves to its exit code. */
  show(args: readonly string[]): Promise<number>;
}

/** Docker or Rollcall did not do what was asked; the message says what, and in whose words. */
export class DockerError extends Error {
  override readonly name = "DockerError";
}

const options = (args: readonly string[]): Deno.CommandOptions => ({
  args: [...args],
  stdin: "null",
  detached: true, // a process group of its own
});

/** The client of this machine. Its processes get no Ctrl-C of the terminal: only who runs them decides. */
export const dockerCli: DockerCli = {
  async run(args) {
    const piped = { ...options(args), stdout: "piped", stderr: "piped" } as const;
    // Not Command.output(): that one does not heed `detached` (Deno 2.9.8).
    const { code, stdout, stderr } = await new Deno.Command("docker", piped).spawn().output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  },
  async show(args) {
    const shown = { ...options(args), stdout: "inherit", stderr: "inherit" } as const;
    return (await new Deno.Command("docker", shown).spawn().status).code;
  },
};

/** What the command wrote; throws a DockerError with its own words when it fails. */
export async function ask(docker: DockerCli, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker.run(args);
  if (code === 0) return stdout;
  const words = stderr.trim() || stdout.trim() || `exit code is ${code}`;
  throw new DockerError(`Cannot run docker ${args.slice(0, 8).join(" ")}: ${words}`);
}

/** The same, read as JSON of that form; throws a DockerError also when it is not. */
export async function askJson<T>(
  docker: DockerCli,
  form: z.ZodType<T>,
  ...args: readonly string[]
): Promise<T> {
  const text = await ask(docker, ...args);
  try {
    return form.parse(JSON.parse(text));
  } catch (cause) {
    const words = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new DockerError(
      `Cannot read what docker ${args.slice(0, 8).join(" ")} writes: ${words}`,
      {
        cause,
      },
    );
  }
}
