// What people type, on the real stack: who is in rotation, five mistakes explained, drain, watch, doctor.
import assert from "node:assert/strict";
import { docker, dockerTest, eventually } from "../../scripts/testing/docker.ts";
import { Stack } from "../../scripts/e2e/stack.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** `rollcall` in the registrator's container, as people run it. */
function rollcall(stack: Stack, ...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command("docker", {
    args: ["compose", "-p", stack.project, "exec", "-T", "registrator", "rollcall", ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function ask(stack: Stack, ...args: readonly string[]) {
  const { code, stdout, stderr } = await rollcall(stack, ...args).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

dockerTest("the commands on a real stack", async (t) => {
  const stack = new Stack({ START_DELAY_MS: "0" });
  const strangers: string[] = [];
  const step = async (name: string, fn: () => Promise<void>) => {
    if (!await t.step(name, fn)) throw new Error(`Stopped after: ${name}`);
  };
  const run = async (name: string, ...args: readonly string[]) => {
    const container = `${stack.project}-${name}`;
    strangers.push(container);
    await docker("run", "-d", "--name", container, ...args);
    return container;
  };
  const edge = ["--network", `${stack.project}_edge`];
  const [first, second] = [1, 2].map((i) => `${stack.project}-service-${i}`) as [string, string];
  try {
    await step("ls tells of two instances, doctor of a chain that holds", async () => {
      await stack.compose("up", "-d", "--build", "--scale", "service=2");
      await eventually(async () => {
        const { code, out } = await ask(stack, "ls");
        assert.equal(code, 0);
        assert.match(out, /^SERVICE +INSTANCE +STATE +ADDRESS/);
        assert.match(out, /service: 2 of 2 in rotation/);
        assert.ok(!out.includes("\x1b")); // no terminal, no colours
      }, { within: 60_000, every: 500 });
      await eventually(async () => {
        const { code, out } = await ask(stack, "doctor");
        assert.equal(code, 0, out);
        assert.match(out, /nginx +serves what stands in etcd: 1 of 1 services/);
        assert.match(out, /ok +registrator +follows Docker's events/);
      }, { within: 20_000, every: 500 });
      await eventually(async () => { // the traffic log is written once a second
        await stack.answering(10);
        const { out } = await ask(stack, "ls");
        assert.match(out, /^SERVICE .*WEIGHT +SHARE +SINCE/);
        assert.equal(out.match(/ \d+ % /g)?.length, 2);
      }, { within: 20_000, every: 500 });
      const { code, out } = await ask(stack, "explain", first);
      assert.equal(code, 0, out);
      assert.match(out, /nginx +has \S+:8080 in its configuration [0-9a-f]{12}, live for /);
    });

    await step(
      "drain takes out within a second, survives the registrator, and undrain brings back",
      async () => {
        const drained = await ask(stack, "drain", first, "--reason", "new disk");
        assert.equal(drained.code, 0, drained.err);
        const ms = Number(/out of rotation after (\d+) ms/.exec(drained.out)?.[1]);
        assert.ok(ms < 3_000, drained.out); // 0.5 s on a quiet machine
        const others = async () => {
          const [only] = await stack.answering(6);
          assert.equal((await stack.answering(6)).size, 1, String(only));
        };
        await eventually(others);
        await stack.compose("restart", "registrator");
        await eventually(async () => {
          const { out } = await ask(stack, "ls", "--json");
          const rows: Array<
            { container: string; state: string; reason: string; traffic: boolean }
          > = JSON.parse(out).instances;
          const row = rows.find(({ container }) => container === first);
          assert.equal(row?.state, "draining");
          assert.match(row?.reason ?? "", /^Drained by hand: new disk\./);
          assert.equal(rows.filter(({ traffic }) => traffic).length, 1);
        }, { within: 20_000, every: 500 });
        await others();
        const why = await ask(stack, "explain", first);
        assert.equal(why.code, 1);
        assert.match(why.out, new RegExp(`Do +rollcall undrain ${first}`));
        const back = await ask(stack, "undrain", first);
        assert.equal(back.code, 0, back.err);
        await eventually(async () => assert.equal((await stack.answering(8)).size, 2));
        assert.equal((await ask(stack, "explain", first)).code, 0);
      },
    );

    await step(
      "watch tells of a pause, from Docker's event to nginx's live configuration",
      async () => {
        const watching = rollcall(stack, "watch", "--json");
        const until = async (stream: ReadableStream<Uint8Array>, text: string) => {
          let heard = "";
          for await (const part of stream.pipeThrough(new TextDecoderStream())) {
            if ((heard += part).includes(text)) return heard;
          }
          throw new Error(`watch ended without '${text}': ${heard}`);
        };
        const timer = setTimeout(() => watching.kill("SIGKILL"), 30_000);
        await until(watching.stderr, "Following");
        await docker("pause", second);
        const heard = await until(watching.stdout, '"to":"paused"');
        clearTimeout(timer);
        watching.kill("SIGKILL");
        await watching.status;
        const change = heard.split("\n").filter((line) => line.endsWith("}")).map((line) =>
          JSON.parse(line)
        )
          .find(({ to }) => to === "paused");
        assert.equal(change.container, second);
        assert.equal(change.traffic, "out");
        assert.deepEqual(
          change.steps.map(({ name }: { name: string }) => name),
          ["pause", "decided", "in etcd", "live"],
        );
        const after = change.steps.map(({ after }: { after: number }) => after);
        assert.deepEqual(after, after.toSorted((a: number, b: number) => a - b));
        // One id leads from Docker's event to the reload, through the logs of all who had a part in it.
        const logs = async (service: string): Promise<Array<Record<string, unknown>>> => {
          const lines = await stack.compose("logs", "--no-log-prefix", service);
          return lines.split("\n").filter((line) => line.startsWith("{")).map((line) =>
            JSON.parse(line)
          );
        };
        const line = (lines: Array<Record<string, unknown>>, event: string, field: string) =>
          lines.find((line) => line.event === event && line[field] === change[field]);
        const deregistered = line(await logs("registrator"), "deregistered", "change");
        assert.equal(deregistered?.docker, "pause");
        assert.ok(Number(deregistered?.revision) > 0 && Number(deregistered?.written_ms) >= 0);
        await eventually(async () => {
          const live = line(await logs("dashboard"), "change live", "change");
          assert.equal(live?.generation, change.generation);
          assert.ok(line(await logs("nginx"), "live", "generation"));
        });
        await docker("unpause", second);
      },
    );

    await step(
      "explain and the page name cause and remedy of a newcomer's five mistakes",
      async () => {
        const image = (await docker("inspect", "--format", "{{.Config.Image}}", first)).trim();
        const names = {
          port: await run(
            "port",
            ...edge,
            // Without its HEALTHCHECK, which would find it healthy from inside.
            ...["--no-healthcheck", "--label", "SERVICE_3000_NAME=wrong"],
            ...["--label", "SERVICE_8080_IGNORE=true"],
            image,
          ),
          network: await run(
            "network",
            "--network",
            "bridge",
            "--label",
            "SERVICE_NAME=lost",
            image,
          ),
          loopback: await run(
            "loopback",
            ...[...edge, "--no-healthcheck", "--label", "SERVICE_NAME=inward"],
            ...["--env", "HOST=127.0.0.1", image],
          ),
          // The same, and its HEALTHCHECK asks inside the container: in rotation, and nginx gets no answer.
          deaf: await run(
            "deaf",
            ...[...edge, "--label", "SERVICE_NAME=deaf", "--health-interval", "1s"],
            ...["--env", "HOST=127.0.0.1", image],
          ),
          health: await run(
            "health",
            ...edge,
            ...["--label", "SERVICE_NAME=sick", "--health-interval", "1s", "--health-retries", "1"],
            ...["--health-cmd", "echo no database; exit 1", image],
          ),
          routeA: await run(
            "route-a",
            ...edge,
            ...["--label", "SERVICE_NAME=blue", "--label", "SERVICE_HOST=shop.example"],
            image,
          ),
          routeB: await run(
            "route-b",
            ...edge,
            ...["--label", "SERVICE_NAME=green", "--label", "SERVICE_HOST=shop.example"],
            image,
          ),
        };
        const told = (name: string, cause: RegExp, remedy: RegExp) =>
          eventually(async () => {
            const { out } = await ask(stack, "explain", name);
            assert.match(out, cause);
            assert.match(out, remedy);
          }, { within: 30_000, every: 500 });
        await told(
          names.port,
          /Why +Wrong port: .*:3000, but port 8080 answers/,
          /SERVICE_8080_NAME/,
        );
        await told(
          names.network,
          /Why +It is on no network that nginx shares/,
          new RegExp(`docker network connect ${stack.project}_edge ${names.network}`),
        );
        await told(names.loopback, /Why .*listens on 127\.0\.0\.1 only/, /0\.0\.0\.0:8080/);
        await told(
          names.deaf,
          /listens on 127\.0\.0\.1 only.* HEALTHCHECK passes all the same/,
          /0\.0\.0\.0:8080/,
        );
        await told(names.health, /HEALTHCHECK fails: .*no database/, /docker exec/);
        await told(
          names.routeB,
          /Two services on one route: .*shop\.example\/; blue has it/,
          /another SERVICE_HOST/,
        );
        // The page has what the registrator knows; it asks no container itself.
        const page = async () => {
          const answer = await fetch(`http://127.0.0.1:${stack.dashboardPort}/`);
          const text = (await answer.text()).replace(/<[^>]+>/g, " ").replaceAll("&lt;", "<");
          return text.slice(text.indexOf("Show only")).replace(/\s+/g, " "); // below the timeline
        };
        const shown = (name: string, words: RegExp) =>
          eventually(async () => {
            const text = await page();
            const at = text.indexOf(` ${name} `);
            assert.ok(at >= 0, `${name} is not on the page`);
            assert.match(text.slice(at, at + 600), words);
          }, { within: 20_000, every: 500 });
        const refused =
          /refused: is this the right port, .* listen on 0\.0\.0\.0, not on 127\.0\.0\.1/;
        await shown(names.port, refused);
        await shown(names.loopback, refused);
        await shown(
          names.network,
          new RegExp(`on no network that nginx shares .*Add the network ${stack.project}_edge`),
        );
        await shown(names.health, /Its HEALTHCHECK fails: docker inspect shows what/);
        await shown(
          names.routeB,
          /Not served on shop\.example\/: the service blue claims it too.*Change SERVICE_HOST/,
        );
      },
    );

    await step("doctor names the broken link: etcd, then the registrator", async () => {
      await stack.compose("kill", "-s", "KILL", "etcd");
      const { code, out } = await ask(stack, "doctor");
      assert.equal(code, 1);
      assert.match(out, /broken +etcd/);
      assert.match(out, /docker compose up -d etcd/);
      assert.equal((await ask(stack, "ls")).code, 3);
    });
  } finally {
    if (strangers.length > 0) await docker("rm", "-f", ...strangers).catch(() => {});
    await stack.down();
  }
});
