// What a measurement was made on: machine and versions, for the report. Reads, and changes nothing.

import { docker } from "../../testing/docker.ts";
import { rootFolder } from "./folders.ts";

/** The machine, as far as it matters for timing. Without names: a report is public. */
export async function machine(): Promise<Record<string, string>> {
  const info = JSON.parse(await docker("info", "--format", "{{json .}}"));
  const model = /^model name\s*:\s*(.+)$/m.exec(await read("/proc/cpuinfo"))?.[1];
  return {
    processors: `${navigator.hardwareConcurrency}${model ? ` × ${model}` : ""}`,
    memory: `${(info.MemTotal / 2 ** 30).toFixed(0)} GiB`,
    system: `${info.OperatingSystem}, Linux ${info.KernelVersion}`,
    cgroup: `v${info.CgroupVersion}`,
  };
}

/** Versions of what took part. */
export async function versions(): Promise<Record<string, string>> {
  const text = await Deno.readTextFile(`${rootFolder}/deno.json`);
  const commit = new Deno.Command("git", {
    args: ["-C", rootFolder, "rev-parse", "--short=12", "HEAD"],
    stderr: "null",
  });
  const head = await commit.output().then(
    ({ success, stdout }) => success ? new TextDecoder().decode(stdout).trim() : "",
    () => "",
  );
  return {
    rollcall: `${JSON.parse(text).version}${head ? ` (${head})` : ""}`,
    docker: (await docker("version", "--format", "{{.Server.Version}}")).trim(),
    compose: (await docker("compose", "version", "--short")).trim(),
    deno: Deno.version.deno,
  };
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
