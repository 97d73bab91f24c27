// Measures the service's binary and image for docs/measurements.md, and prints it as Markdown.
// Usage: deno run -A scripts/measure/service.ts [image], by default rollcall-service.
import { delay } from "../../discovery/delay.ts";
import { docker, freePort, run } from "../testing/docker.ts";

const image = Deno.args[0] ?? "rollcall-service";
const RUNS = 25;

const folder = await Deno.makeTempDir({ prefix: "rollcall-measure-" });
try {
  const container = (await docker("create", image)).trim();
  await docker("cp", `${container}:/usr/local/bin/service`, `${folder}/service`);
  await docker("rm", container);

  const magic = (await Deno.readFile(`${folder}/service`)).slice(0, 4);
  const isElf = magic[0] === 0x7f && new TextDecoder().decode(magic.slice(1)) === "ELF";
  const denos = await docker(
    ...["run", "--rm", "--entrypoint", "/bin/sh", image],
    ...["-c", "command -v deno node || echo none"],
  );
  const starts: number[] = [];
  const resident: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const { ms, kib } = await start();
    starts.push(ms);
    resident.push(kib / 1024);
  }
  const size = Number(await docker("image", "inspect", "--format", "{{.Size}}", image));
  const bytes = (await Deno.stat(`${folder}/service`)).size;
  const rows = [
    ["the binary is an ELF executable", isElf ? "yes" : "no"],
    ["deno or node in its image", denos.trim()],
    [
      `start of the process → first answer, ${RUNS} starts, p50 / max`,
      `${middle(starts)} / ${Math.max(...starts)} ms`,
    ],
    [`resident memory at its first answer, p50`, `${middle(resident)} MiB`],
    ["binary", `${(bytes / 1e6).toFixed(1)} MB`],
    ["image", `${(size / 1e6).toFixed(1)} MB`],
  ];
  console.log(
    ["| what | figure |", "| --- | --- |", ...rows.map((row) => `| ${row.join(" | ")} |`)].join(
      "\n",
    ),
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** One start of the binary until GET /version answers, and the memory it has then. */
async function start(): Promise<{ ms: number; kib: number }> {
  const port = freePort();
  const began = performance.now();
  const child = new Deno.Command(`${folder}/service`, {
    env: { PORT: String(port), HOST: "127.0.0.1", DRAIN_SECONDS: "0" },
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    while (true) {
      try {
        await (await fetch(`http://127.0.0.1:${port}/version`)).text();
        break;
      } catch {
        if (performance.now() - began > 10_000) {
          throw new Error("Cannot start the service: no answer in 10 s");
        }
        await delay(1);
      }
    }
    const ms = Math.round(performance.now() - began);
    const status = await run("cat", [`/proc/${child.pid}/status`]);
    return { ms, kib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) };
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

function middle(values: readonly number[]): number {
  return Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!);
}
