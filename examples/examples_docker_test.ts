// Every example as its README says, on one Rollcall; the one with include: on its own.
import assert from "node:assert/strict";
import { parse } from "yaml";
import { testImage } from "../discovery/test_image.ts";
import { Stack } from "../scripts/e2e/stack.ts";
import { docker, dockerTest, eventually, freePort, run } from "../scripts/testing/docker.ts";
import { get } from "../scripts/testing/http.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const NGINX_IMAGE = testImage("NGINX_IMAGE", "nginx:1.30");

/** One example as a project with a name of its own. */
class Example {
  readonly project = `rollcall-example-${crypto.randomUUID().slice(0, 8)}`;

  constructor(readonly file: string, private readonly env: Readonly<Record<string, string>>) {}

  compose(...args: readonly string[]): Promise<string> {
    const project = ["compose", "-p", this.project, "-f", `examples/${this.file}`];
    return run("docker", [...project, ...args], { cwd: ROOT, env: { NGINX_IMAGE, ...this.env } });
  }

  /** scripts/rollout as its README says for other projects than Rollcall's. */
  rollout(service: string, ...args: readonly string[]): Promise<string> {
    const project = ["-p", this.project, "-f", `examples/${this.file}`];
    const env = { NGINX_IMAGE, ...this.env };
    return run("scripts/rollout", [...project, ...args, service], { cwd: ROOT, env });
  }

  down(...args: readonly string[]): Promise<string> {
    return this.compose("down", "--volumes", "--timeout", "2", ...args);
  }
}

dockerTest("examples: who joins Rollcall's network gets traffic", async (t) => {
  const stack = new Stack();
  const examples: Example[] = [];
  const start = async (file: string, ...args: readonly string[]) => {
    const example = new Example(file, { EDGE_NETWORK: `${stack.project}_edge` });
    examples.push(example);
    await example.compose("up", "-d", ...args);
    return example;
  };
  const answers = (host: string, status: number, body = /./) =>
    eventually(async () => {
      const answer = await stack.get("/", { host });
      assert.equal(answer.status, status, `${host}: ${answer.body}`);
      assert.match(answer.body, body);
    }, { within: 30_000 });
  const services = async () =>
    [...(await stack.registrations()).keys()].map((key) => key.split("/")[2]).sort();
  try {
    await stack.compose("up", "-d", "--build", "--scale", "service=0");

    await t.step("third_party: an image without labels", async () => {
      const example = await start("third_party/compose.yaml", "--scale", "hello=2");
      await answers("hello.localhost", 200, /title/);
      await eventually(async () => assert.deepEqual(await services(), ["hello", "hello"]));
      const ids = () => example.compose("ps", "--quiet", "--no-trunc");
      const before = (await ids()).trim().split("\n");
      const text = await example.rollout("hello", "--force");
      const after = (await ids()).trim().split("\n");
      assert.equal(after.length, 2, text);
      assert.ok(after.every((id) => !before.includes(id)), "scripts/rollout replaced nothing");
      await answers("hello.localhost", 200, /title/);
      await example.down();
      await answers("hello.localhost", 503);
    });

    await t.step("two_ports: each port is a service of its own", async () => {
      await start("two_ports/compose.yaml");
      await answers("shop.example.com", 200, /^the shop\n$/);
      await answers("shop-admin.localhost", 200, /back room/);
    });

    await t.step(
      "two_projects: each by its host name, and one goes without the other",
      async () => {
        const red = await start("two_projects/red.yaml", "--scale", "web=2");
        const blue = await start("two_projects/blue.yaml");
        await answers("red.example.com", 200, /^red\n$/);
        await answers("blue.example.com", 200, /^blue\n$/);
        await blue.down();
        await answers("blue.example.com", 503);
        await answers("red.example.com", 200, /^red\n$/);
        assert.match(await red.rollout("web", "--dry-run"), /nothing to do, 2 run this image/);
      },
    );

    await t.step("healthcheck: out while Docker says unhealthy", async () => {
      const example = await start("healthcheck/compose.yaml");
      await answers("ill.localhost", 200, /title/);
      const index = "/usr/share/nginx/html/index.html";
      await example.compose("exec", "-T", "ill", "mv", index, "/tmp/");
      await answers("ill.localhost", 503);
      const [status] = await stack.statuses(`${example.project}-ill-1`);
      assert.equal(status?.state, "unhealthy");
      await example.compose("exec", "-T", "ill", "mv", "/tmp/index.html", index);
      await answers("ill.localhost", 200, /title/);
    });

    await t.step(
      "migration: registrator's settings are as they were, and are understood",
      async () => {
        const read = (file: string) =>
          parse(Deno.readTextFileSync(new URL(`migration/${file}`, import.meta.url))).services;
        const [before, after] = [read("before.yaml"), read("after.yaml")];
        assert.deepEqual(after.web.environment, before.web.environment);
        assert.deepEqual(after.worker, before.worker);
        await new Example("migration/before.yaml", {}).compose("config", "--quiet");
        await start("migration/after.yaml");
        await answers("www.example.org", 200, /title/);
        const found = [...(await stack.registrations()).values()].find(({ tags }) =>
          tags.length > 0
        );
        assert.deepEqual(found?.tags, ["urlprefix-/", "production"]);
        assert.equal(found?.attrs.region, "eu");
        assert.ok((await services()).includes("web-shop"));
        assert.ok(!(await services()).includes("worker"), "an ignored one is registered");
      },
    );
  } finally {
    await Promise.all(examples.map((example) => example.down()));
    await stack.down();
  }
});

dockerTest("examples: a project that includes Rollcall has it to itself", async () => {
  const port = freePort();
  const ports = { HTTP_PORT: String(port), DASHBOARD_PORT: String(freePort()) };
  const example = new Example("include/compose.yaml", ports);
  try {
    await example.compose("up", "-d", "--build", "--scale", "hello=2");
    await eventually(async () => {
      const answer = await get(`http://127.0.0.1:${port}/`);
      assert.equal(answer.status, 200, answer.body);
      assert.match(answer.body, /title/);
    }, { within: 60_000 });
    const names = (await docker(
      ...["ps", "--format", "{{.Names}}"],
      ...["--filter", `label=com.docker.compose.project=${example.project}`],
    )).trim().split("\n").map((name) => name.replace(`${example.project}-`, "")).sort();
    const parts = ["dashboard-1", "etcd-1", "nginx-1", "registrator-1", "socket-proxy-1"];
    assert.deepEqual(names, [...parts, "hello-1", "hello-2"].sort());
  } finally {
    await example.down("--rmi", "local");
  }
});
