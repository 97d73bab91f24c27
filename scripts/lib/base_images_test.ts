import assert from "node:assert/strict";
import { shell, tempDir } from "./shell.ts";

const files = ["log", "images", "env_file", "pull", "stand_ins", "base_images"];

const OFFICIAL = [
  "debian:trixie-slim",
  "nginx:1.30",
  "gcr.io/etcd-development/etcd:v3.6.16",
  "golang:1.26",
  "denoland/deno:2.9.8",
];

/**
 * Runs ensure_images on a machine that has the given images, in a network where `answer` tells what
 * pulling does (0 pulled, 20 no answer, 1 refused). Returns what was pulled, built and overridden.
 */
async function ensureImages(machine: {
  readonly present?: readonly string[];
  readonly answer?: string;
  readonly env?: string;
  readonly again?: boolean;
  readonly environment?: Record<string, string>;
}) {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/.env`, machine.env ?? "");
  const code = `
    ENV_FILE=${dir.path}/.env
    image_exists() { [[ " ${(machine.present ?? []).join(" ")} " == *" $1 "* ]]; }
    pull_image() { echo "$1" >> ${dir.path}/pulled; echo words > "$2"; ${
    machine.answer ?? "return 0"
  }; }
    is_fresh() { return 1; }
    build_stale() { echo "built \${STALE[*]}"; }
    mkdir -p "$LOG_DIR"
    ensure_images ${machine.again ? "yes" : "no"}
    printf 'override %s\\n' \${OVERRIDES[@]+"\${OVERRIDES[@]}"}`;
  const result = await shell(files, code, {
    env: { XDG_CACHE_HOME: dir.path, ...machine.environment },
  });
  const lines = result.stdout.split("\n");
  const after = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
      .filter((text) => text !== "");
  const pulled = await Deno.readTextFile(`${dir.path}/pulled`).catch(() => "");
  return {
    ...result,
    pulled: pulled.split("\n").filter((line) => line !== "").sort(),
    built: after("built").flatMap((text) => text.split(" ")).sort(),
    overrides: after("override"),
  };
}

const STAND_INS = [
  "DEBIAN_IMAGE=rollcall-base/debian:trixie-slim",
  "NGINX_IMAGE=rollcall-base/nginx:1.30",
  "ETCD_IMAGE=rollcall-base/etcd:v3.6.16",
  "GO_IMAGE=rollcall-base/golang:1.26",
  "DENO_IMAGE=rollcall-base/deno:2.9.8",
  "DENO_COMPILE_IMAGE=rollcall-base/deno-compile:2.6.10",
];
const ALL = ["debian", "deno", "deno-compile", "etcd", "golang", "nginx"];
const ENV_BLOCK = [
  "# >>> rollcall bootstrap: written by scripts/bootstrap, do not edit between these two lines >>>",
  ...STAND_INS,
  "# <<< rollcall bootstrap <<<\n",
].join("\n");

Deno.test("ensure_images does nothing when the official images are there", async () => {
  // Also in a closed network, and also after stand-ins were used: the official images come first.
  const result = await ensureImages({ present: OFFICIAL, answer: "return 20", env: ENV_BLOCK });
  assert.deepEqual([result.code, result.pulled, result.built, result.overrides], [0, [], [], []]);
});

Deno.test("ensure_images pulls what is missing and overrides nothing", async () => {
  const result = await ensureImages({ present: OFFICIAL.slice(0, 3) });
  assert.deepEqual(result.pulled, ["denoland/deno:2.9.8", "golang:1.26"]);
  assert.deepEqual([result.code, result.built, result.overrides], [0, [], []]);
});

Deno.test("ensure_images builds stand-ins when no registry answers", async () => {
  const result = await ensureImages({ answer: "return 20" });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(result.pulled, [...OFFICIAL].sort());
  assert.deepEqual(result.built, ALL);
  assert.deepEqual(result.overrides, STAND_INS);
  assert.match(result.stdout, /No image registry answered within 10 s for DEBIAN_IMAGE .*: words/);
});

Deno.test("ensure_images builds a stand-in only for what a registry does not give", async () => {
  const answer = `[[ $1 != gcr.io/* ]] || return 20`;
  const result = await ensureImages({ answer });
  assert.deepEqual(result.built, ["debian", "etcd", "golang"], "and what it is built from");
  assert.deepEqual(result.overrides, ["ETCD_IMAGE=rollcall-base/etcd:v3.6.16"]);
});

Deno.test("ensure_images remembers a closed network, until it is told to ask again", async () => {
  const known = await ensureImages({ env: ENV_BLOCK });
  assert.deepEqual([known.pulled, known.overrides], [[], STAND_INS]);
  const asked = await ensureImages({ env: ENV_BLOCK, again: true });
  assert.deepEqual([asked.pulled, asked.overrides], [[...OFFICIAL].sort(), []]);
});

Deno.test("ensure_images uses the image that the user named, and builds none for it", async () => {
  const result = await ensureImages({
    present: ["my/nginx:1"],
    answer: "return 20",
    env: `NGINX_IMAGE=my/nginx:1\n`,
    environment: { DENO_COMPILE_IMAGE: "my/deno:2.9.8" },
  });
  assert.deepEqual(result.built, ["debian", "deno", "etcd", "golang"]);
  assert.deepEqual(
    result.overrides,
    STAND_INS.filter((line) => !/^(NGINX|DENO_COMPILE)_IMAGE/.test(line)),
  );
});

Deno.test("ensure_images does not take a stand-in's name in the environment for the user's choice", async () => {
  const result = await ensureImages({
    answer: "return 20",
    environment: { NGINX_IMAGE: "rollcall-base/nginx:1.30" },
  });
  assert.deepEqual(result.overrides, STAND_INS);
});

Deno.test("ensure_images fails when the user's image is not to be had", async () => {
  const result = await ensureImages({
    present: OFFICIAL,
    answer: "return 20",
    environment: { NGINX_IMAGE: "my/nginx:1" },
  });
  assert.equal(result.code, 1);
  assert.match(result.stderr, /my\/nginx:1, named by NGINX_IMAGE: its registry does not answer/);
});

Deno.test("ensure_images fails when a registry refuses", async () => {
  const result = await ensureImages({ present: OFFICIAL.slice(1), answer: "return 1" });
  assert.equal(result.code, 1);
  assert.match(result.stderr, /debian:trixie-slim: its registry does not give it/);
  assert.deepEqual(result.built, []);
});

Deno.test("ensure_images compiles with the user's own denort of the usual version", async () => {
  const result = await ensureImages({
    answer: "return 20",
    environment: { DENORT_BIN: "/opt/denort" },
  });
  assert.equal(result.overrides.at(-1), "DENO_COMPILE_IMAGE=rollcall-base/deno-compile:2.9.8");
});
