import assert from "node:assert/strict";
import { fakeProgram, shell, type ShellResult, tempDir } from "./shell.ts";

const files = ["log", "install", "images", "apt", "engine"];

/**
 * Runs ensure_engine on a machine of the test's own: `docker` answers once the file `up` is there,
 * `dockerd` is the given script (absent when undefined; never the machine's own), and nothing needs root.
 */
async function ensureEngine(
  dir: string,
  machine: { docker?: string; dockerd?: string; setup?: string; env?: Record<string, string> },
): Promise<ShellResult> {
  await fakeProgram(
    `${dir}/docker`,
    machine.docker ?? `case $1 in
  context) echo default ;;
  version) if [ -e ${dir}/up ]; then echo 20.10.24; else echo "Cannot connect to the Docker daemon" >&2; exit 1; fi ;;
esac`,
  );
  if (machine.dockerd !== undefined) await fakeProgram(`${dir}/dockerd`, machine.dockerd);
  const code = `
    DOCKER_RUN_DIR=${dir}/run
    CPU_GROUPS=${dir}/cpu
    mkdir -p ${dir}/run/docker/containerd
    have_systemd() { return 1; }
    dockerd_path() { if [ -x ${dir}/dockerd ]; then echo ${dir}/dockerd; fi; }
    ask_for_root() { :; }
    as_root() { "$@"; }
    apt_install() { echo "apt_install $*" >> ${dir}/installed; ${machine.setup ?? ":"}; }
    ensure_engine
    echo "version $DOCKER_VERSION"`;
  return await shell(files, code, {
    env: { PATH: `${dir}:/usr/bin:/bin`, XDG_CACHE_HOME: `${dir}/cache`, ...machine.env },
  });
}

/** A dockerd that says it is up, stays for a while and writes down its number. */
const working = (dir: string) =>
  `echo $$ > ${dir}/run/docker.pid; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 > ${dir}/streams
touch ${dir}/up; exec -a dockerd sleep 30`;

async function stop(dir: string): Promise<void> {
  const pid = Number(await Deno.readTextFile(`${dir}/run/docker.pid`));
  Deno.kill(pid, "SIGKILL");
}

const linux = Deno.build.os === "linux";

Deno.test("ensure_engine does nothing when the engine answers", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/up`, "");
  const result = await ensureEngine(dir.path, { env: { ROLLCALL_INSTALL: "no" } });
  assert.deepEqual(result, { code: 0, stdout: "version 20.10.24\n", stderr: "" });
});

Deno.test("ensure_engine starts an engine that outlives the script and holds none of its streams", {
  ignore: !linux,
}, async () => {
  await using dir = await tempDir();
  // It returns at all only because dockerd does not hold the pipes that this test reads to their end.
  const result = await ensureEngine(dir.path, { dockerd: working(dir.path) });
  assert.equal(result.code, 0, result.stderr);
  assert.match(
    result.stdout,
    /dockerd: starting it detached.*\n.*dockerd: answers\nversion 20\.10\.24\n$/,
  );
  const log = `${dir.path}/cache/rollcall/logs/dockerd.log`;
  assert.equal(await Deno.readTextFile(`${dir.path}/streams`), `/dev/null\n${log}\n${log}\n`);
  await stop(dir.path);
});

Deno.test("ensure_engine starts the engine in a control group of its own, beside its containers'", {
  ignore: !linux,
}, async () => {
  await using dir = await tempDir();
  await Deno.mkdir(`${dir.path}/cpu`);
  await Deno.writeTextFile(`${dir.path}/cpu/cpu.shares`, "1024\n");
  const dockerd = `echo "$*" > ${dir.path}/arguments\n${working(dir.path)}`;
  const result = await ensureEngine(dir.path, { dockerd });
  assert.equal(result.code, 0, result.stderr);
  const inGroup = await Deno.readTextFile(
    `${dir.path}/cpu/system.slice/docker.service/cgroup.procs`,
  );
  assert.equal(inGroup, await Deno.readTextFile(`${dir.path}/run/docker.pid`));
  assert.equal(await Deno.readTextFile(`${dir.path}/arguments`), "--cgroup-parent=/system.slice\n");
  await stop(dir.path);
});

Deno.test("ensure_engine removes pid files that a cut-off machine left behind", {
  ignore: !linux,
}, async () => {
  await using dir = await tempDir();
  await Deno.mkdir(`${dir.path}/run/docker/containerd`, { recursive: true });
  // The number lives again, as another program: this test.
  await Deno.writeTextFile(`${dir.path}/run/docker.pid`, `${Deno.pid}`);
  await Deno.writeTextFile(`${dir.path}/run/docker/containerd/containerd.pid`, `${Deno.pid}`);
  const dockerd = `[ ! -e ${dir.path}/run/docker.pid ] || exit 1
[ ! -e ${dir.path}/run/docker/containerd/containerd.pid ] || exit 1
${working(dir.path)}`;
  const result = await ensureEngine(dir.path, { dockerd });
  assert.equal(result.code, 0, result.stderr);
  await stop(dir.path);
});

Deno.test("ensure_engine starts another engine when the one that runs is ending", {
  ignore: !linux,
}, async () => {
  await using dir = await tempDir();
  await Deno.mkdir(`${dir.path}/run`);
  await Deno.mkdir(`${dir.path}/old`);
  await Deno.copyFile("/bin/sleep", `${dir.path}/old/dockerd`);
  const ending = new Deno.Command(`${dir.path}/old/dockerd`, { args: ["1"] }).spawn();
  await Deno.writeTextFile(`${dir.path}/run/docker.pid`, `${ending.pid}`);
  const result = await ensureEngine(dir.path, { dockerd: working(dir.path) });
  assert.equal(result.code, 0, result.stderr);
  await ending.status;
  await stop(dir.path);
});

Deno.test("ensure_engine shows the log of an engine that does not start", {
  ignore: !linux,
}, async () => {
  await using dir = await tempDir();
  const result = await ensureEngine(dir.path, { dockerd: "echo 'iptables failed' >&2; exit 1" });
  assert.equal(result.code, 4);
  assert.match(
    result.stderr,
    /^Cannot start the Docker engine\. The end of .*dockerd\.log:\n {4}iptables failed\n$/,
  );
});

Deno.test("ensure_engine announces that it installs the engine, then starts it", {
  ignore: !linux,
}, async () => {
  await using dir = await tempDir();
  await fakeProgram(`${dir.path}/apt-get`, "");
  const setup = `cp ${dir.path}/dockerd.package ${dir.path}/dockerd`;
  await fakeProgram(`${dir.path}/dockerd.package`, working(dir.path));
  const result = await ensureEngine(dir.path, { setup });
  assert.equal(result.code, 0, result.stderr);
  assert.match(
    result.stdout,
    /This machine has no Docker engine: installing the package docker\.io \(ROLLCALL_INSTALL=no prevents that\)/,
  );
  assert.match(await Deno.readTextFile(`${dir.path}/installed`), /^apt_install docker\.io/);
  await stop(dir.path);
});

Deno.test("ensure_engine installs nothing when ROLLCALL_INSTALL=no and names the command", {
  ignore: !linux,
}, async () => {
  await using dir = await tempDir();
  await fakeProgram(`${dir.path}/apt-get`, "");
  const result = await ensureEngine(dir.path, { env: { ROLLCALL_INSTALL: "no" } });
  assert.equal(result.code, 3);
  assert.match(
    result.stderr,
    /ROLLCALL_INSTALL=no forbids.*\nRun this yourself: sudo apt-get install docker\.io\n$/,
  );
  await assert.rejects(Deno.stat(`${dir.path}/installed`));
});

Deno.test("ensure_engine says what to do about a socket that the user has no right to", async () => {
  await using dir = await tempDir();
  const docker = `echo; echo "permission denied while trying to connect to the socket" >&2; exit 1`;
  const result = await ensureEngine(dir.path, { docker, dockerd: "exit 1" });
  assert.equal(result.code, 4);
  assert.match(result.stderr, /has no right to its socket/);
  assert.match(result.stderr, /usermod -aG docker/);
  assert.match(result.stderr, /Docker said: permission denied/);
});

Deno.test("ensure_engine leaves an engine on another machine alone", async () => {
  await using dir = await tempDir();
  const env = { DOCKER_HOST: "tcp://build.example:2375" };
  const result = await ensureEngine(dir.path, { env });
  assert.equal(result.code, 4);
  assert.match(result.stderr, /^Cannot reach the Docker engine at tcp:\/\/build\.example:2375\./);
  await assert.rejects(Deno.stat(`${dir.path}/installed`));
});
