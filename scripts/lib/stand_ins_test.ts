import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { shell, tempDir } from "./shell.ts";

const files = ["log", "install", "images", "env_file", "apt", "machine", "stand_ins"];
const offline = fileURLToPath(new URL("../offline", import.meta.url));

async function fingerprint(folder: string, name: string): Promise<string> {
  const { code, stdout, stderr } = await shell(files, `OFFLINE_DIR="$1"; fingerprint "$2"`, {
    args: [folder, name],
  });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

Deno.test("fingerprint changes with what a stand-in is made of, its base included", async () => {
  await using dir = await tempDir();
  const copy = `${dir.path}/offline`;
  const { success } = await new Deno.Command("cp", { args: ["-r", offline, copy] }).output();
  assert.ok(success);
  const all = async () => ({
    debian: await fingerprint(copy, "debian"),
    golang: await fingerprint(copy, "golang"),
    etcd: await fingerprint(copy, "etcd"),
    nginx: await fingerprint(copy, "nginx"),
  });
  const before = await all();
  assert.equal(new Set(Object.values(before)).size, 4, "each is its own");
  assert.deepEqual(await all(), before, "and stays the same");
  await Deno.writeTextFile(`${copy}/golang/Dockerfile`, "\n# changed\n", { append: true });
  const after = await all();
  assert.deepEqual([after.debian, after.nginx], [before.debian, before.nginx]);
  assert.notEqual(after.golang, before.golang);
  assert.notEqual(after.etcd, before.etcd, "etcd is built with Go's stand-in");
});

Deno.test("check_denort says what is missing where no denort is to be had", async () => {
  const check = (setup: string) => shell(files, `STALE=(deno-compile); ${setup}; check_denort`);
  assert.equal((await check(`uname() { [ "$1" = -s ] && echo Linux || echo x86_64; }`)).code, 0);
  const arm = await check(`uname() { [ "$1" = -s ] && echo Linux || echo aarch64; }`);
  assert.equal(arm.code, 1);
  assert.match(arm.stderr, /^Cannot compile the service on Linux aarch64/);
  assert.match(arm.stderr, /DENORT_BIN=/);
  const absent = await check("DENORT_BIN=/no/such/file");
  assert.equal(absent.code, 2);
  assert.match(absent.stderr, /there is no file \/no\/such\/file/);
});

Deno.test("need_debian_source says what to do where apt has no Debian source", async () => {
  const { code, stderr } = await shell(
    files,
    "apt_sources() { :; }; have() { :; }; need_debian_source",
  );
  assert.equal(code, 1);
  assert.match(
    stderr,
    /apt has no Debian source here\.\nName images that you have instead, in \.env: DEBIAN_IMAGE, NGINX_IMAGE/,
  );
});

Deno.test("the versions of the stand-ins are those whose checksums are kept", async () => {
  const { stdout } = await shell(
    files,
    `echo "$STAND_IN_ETCD_IMAGE $STAND_IN_DENO_IMAGE $STAND_IN_DENO_COMPILE_IMAGE"`,
  );
  const [etcd, deno, compile] = stdout.trim().split(" ").map((image) => image.split(":")[1]);
  const goMod = await Deno.readTextFile(`${offline}/etcd/go.mod`);
  for (const name of ["server", "etcdctl", "etcdutl"]) {
    assert.match(goMod, new RegExp(`go\\.etcd\\.io/etcd/${name}/v3 ${etcd}( |$)`, "m"));
  }
  const wheels = await Deno.readTextFile(`${offline}/deno/wheels.txt`);
  assert.match(wheels, new RegExp(`^deno==${deno} --hash=sha256:`, "m"));
  assert.match(wheels, new RegExp(`^deno==${compile} --hash=sha256:`, "m"));
});
