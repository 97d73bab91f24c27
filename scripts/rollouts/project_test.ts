import assert from "node:assert/strict";
import type { DockerCli } from "./docker_cli.ts";
import { NoSuchServiceError, obstaclesOf, readService } from "./project.ts";

Deno.test("obstaclesOf() names what only one container can have", () => {
  for (
    const [service, obstacle] of [
      [{ container_name: "web" }, /^container_name web: /],
      [{ ports: [{ published: "8080" }] }, /^port 8080 of the host/],
      [{ network_mode: "host" }, /^network_mode host: /],
      [{ networks: { edge: { ipv4_address: "10.0.0.9" } } }, /^address 10.0.0.9 in network edge/],
      [{ labels: { SERVICE_ID: "a" } }, /^SERVICE_ID a: .*same key/],
      [{ environment: { SERVICE_80_ID: "a" } }, /^SERVICE_80_ID a/],
      [{ labels: { SERVICE_IGNORE: "true" } }, /^SERVICE_IGNORE true: .*no traffic/],
    ] as const
  ) {
    const [found, ...more] = obstaclesOf(service as Parameters<typeof obstaclesOf>[0]);
    assert.match(found ?? "", obstacle);
    assert.deepEqual(more, []);
  }
});

Deno.test("obstaclesOf() lets through what several containers can have", () => {
  assert.deepEqual(
    obstaclesOf({
      ports: [{}, { published: "" }, { published: "0" }, { published: "8080-8090" }],
      networks: { edge: null },
      labels: { SERVICE_NAME: "web", SERVICE_IGNORE: "false", SERVICE_ID: "" },
      network_mode: "bridge",
    }),
    [],
  );
});

/** A Docker that answers what a test expects, by the beginning of the words. */
function dockerThat(answers: Readonly<Record<string, string>>): DockerCli {
  return {
    run(args) {
      const words = args.join(" ");
      const found = Object.entries(answers).find(([start]) => words.startsWith(start));
      return Promise.resolve(
        found
          ? { code: 0, stdout: found[1], stderr: "" }
          : { code: 1, stdout: "", stderr: `unexpected: ${words}` },
      );
    },
    show: () => Promise.resolve(1),
  };
}

const container = (id: string, hash: string, image: string) => ({
  Id: id,
  Name: `/shop-web-${id}`,
  Image: image,
  State: { Status: "running", ExitCode: 0 },
  Config: { Labels: { "com.docker.compose.config-hash": hash } },
  NetworkSettings: { Networks: { edge: { IPAddress: `10.0.0.${id}`, GlobalIPv6Address: "" } } },
});

Deno.test("readService() tells who has the image and the configuration that Compose would give now", async () => {
  const config = { name: "shop", services: { web: { image: "web:2", deploy: { replicas: 2 } } } };
  const containers = [container("1", "old", "i2"), container("2", "new", "i1")];
  const docker = dockerThat({
    "compose -p shop config --format json": JSON.stringify(config),
    "compose -p shop config --hash web": "web new\n",
    "image inspect --format {{.Id}} web:2": "i2\n",
    "ps --all --quiet --no-trunc": "1\n2\n3\n",
    "container inspect 1 2 3": JSON.stringify([...containers, container("3", "new", "i2")]),
  });
  const service = await readService(docker, ["compose", "-p", "shop"], "web");
  assert.equal(service.wanted, 2);
  assert.deepEqual(service.replicas.map(({ current }) => current), [false, false, true]);
  assert.deepEqual(service.replicas[0]?.addresses, ["10.0.0.1"]);
  await assert.rejects(
    readService(docker, ["compose", "-p", "shop"], "wbe"),
    (error) =>
      error instanceof NoSuchServiceError && /'wbe' in project shop: web/.test(error.message),
  );
});
