// Calls functions of the shell files in this folder, for their tests.
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));

export type ShellResult = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** Sources the named files (without .sh) in bash, with the settings of the real scripts, and runs the code. */
export async function shell(
  files: readonly string[],
  code: string,
  options: { readonly args?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<ShellResult> {
  const sources = files.map((file) => `. "${folder}${file}.sh"`).join("\n");
  const output = await new Deno.Command("bash", {
    args: ["-c", `set -euo pipefail\n${sources}\n${code}`, "test", ...(options.args ?? [])],
    env: options.env ?? {},
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

/** Makes a folder that is removed after the block: `await using dir = await tempDir()`. */
export async function tempDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "rollcall_scripts_" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Puts an executable stand-in for a program into a folder that the test puts on PATH. */
export async function fakeProgram(path: string, body: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/usr/bin/env bash\n${body}\n`, { mode: 0o755 });
}
