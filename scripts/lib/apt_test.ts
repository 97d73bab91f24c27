import assert from "node:assert/strict";
import { fakeProgram, shell, tempDir } from "./shell.ts";

const files = ["log", "apt"];
const hasApt = await new Deno.Command("which", { args: ["apt-get"] }).output().then(
  ({ success }) => success,
  () => false,
);

async function mirrors(
  sources: Record<string, string>,
): Promise<[debian: string, security: string]> {
  await using dir = await tempDir();
  for (const [name, text] of Object.entries(sources)) {
    await Deno.writeTextFile(`${dir.path}/${name}`, text.replaceAll("DIR", dir.path));
  }
  const apt = `apt_sources -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$1"`;
  const result = await shell(
    files,
    `${apt} | debian_mirror bookworm; echo ---; ${apt} | debian_security_mirror`,
    { args: [dir.path] },
  );
  assert.equal(result.code, 0, result.stderr);
  const [debian = "", security = ""] = result.stdout.split("---\n");
  return [debian.trim(), security.trim()];
}

Deno.test("debian_mirror reads a .list file", { ignore: !hasApt }, async () => {
  const list = `# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64] https://mirror.example/debian/ bookworm main contrib
deb https://mirror.example/debian-security bookworm-security main
`;
  assert.deepEqual(await mirrors({ "a.list": list }), [
    "https://mirror.example/debian",
    "https://mirror.example/debian-security",
  ]);
});

Deno.test(
  "debian_mirror reads a .sources file and passes over what is off",
  { ignore: !hasApt },
  async () => {
    const sources = `Enabled: no
Types: deb
URIs: https://off.example/debian
Suites: bookworm
Components: main

Types: deb deb-src
URIs: https://first.example/debian https://second.example/debian
Suites: bookworm bookworm-updates
Components: main
`;
    assert.deepEqual(await mirrors({ "debian.sources": sources }), [
      "https://first.example/debian",
      "",
    ]);
  },
);

Deno.test("debian_mirror passes over other vendors that use Debian's suite names", {
  ignore: !hasApt,
}, async () => {
  const list = `deb https://vendor.example/linux/debian bookworm stable
deb https://node.example nodistro main
deb https://db.example/apt bookworm-pgdg main
deb https://mirror.example/debian bookworm main
`;
  assert.deepEqual((await mirrors({ "a.list": list }))[0], "https://mirror.example/debian");
});

Deno.test("debian_mirror takes the first of a file of mirrors", { ignore: !hasApt }, async () => {
  const found = await mirrors({
    "a.list": "deb mirror+file:DIR/mirrors.txt bookworm main\n",
    "mirrors.txt": "# ours\nhttps://near.example/debian priority:1\nhttps://far.example/debian\n",
  });
  assert.equal(found[0], "https://near.example/debian");
});

Deno.test("debian_mirror finds nothing on another distribution", { ignore: !hasApt }, async () => {
  assert.deepEqual(
    await mirrors({ "a.list": "deb https://u.example/ubuntu noble main universe\n" }),
    ["", ""],
  );
});

Deno.test("apt_sources fails when apt cannot read its sources", async () => {
  await using dir = await tempDir();
  await fakeProgram(`${dir.path}/apt-get`, "echo 'E: broken' >&2; exit 100");
  const result = await shell(files, "apt_sources", {
    env: { PATH: `${dir.path}:${Deno.env.get("PATH")}` },
  });
  assert.equal(result.code, 100);
});
