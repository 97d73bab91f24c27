// The fault table on real containers, every row; scripts/measure/registrator_faults.ts prints what each cost.
import assert from "node:assert/strict";
import { docker, dockerTest, eventually } from "../testing/docker.ts";
import { complaints, runFault } from "./fault_run.ts";
import { faults } from "./faults.ts";
import { dockerdRestarted, hasSecondEngine, moveTo, SecondEngine } from "./second_engine.ts";
import { Stack } from "./stack.ts";
import { FAULT_SETTINGS, World } from "./world.ts";

const RATE = 100;

dockerTest(
  "whatever dies below it, etcd is right again and the edge loses no request",
  async (t) => {
    const stack = new Stack(FAULT_SETTINGS);
    const world = new World(stack);
    try {
      await stack.compose("up", "-d", "--build", "--scale", "service=4");
      await world.right(60_000);
      const [spare] = await world.running();
      await world.engine("stop", spare!.id);
      for (const fault of faults) {
        await t.step(fault.name, async () => {
          assert.deepEqual(complaints(await runFault(world, fault, RATE)), []);
        });
      }
      await t.step("another project's `down` removes its keys, and no other", async () => {
        await otherProject(stack, async (down) => {
          await eventually(async () => assert.equal((await stack.keys(HELLO)).size, 1));
          await down();
          await eventually(async () => assert.equal((await stack.keys(HELLO)).size, 0));
          await world.right(10_000);
        });
      });
      await t.step(
        "with ROLLCALL_DEREGISTER a registrator that is stopped removes its keys, and the edge serves on",
        async () => {
          stack.set({ ROLLCALL_DEREGISTER: "true" });
          await stack.compose("up", "-d", "--no-deps", "--no-build", "registrator");
          // Its predecessor's keys stand: only its log tells that it has taken them over.
          await eventually(async () => {
            assert.match(await stack.compose("logs", "registrator"), /"vouching"/);
          });
          await world.right(20_000);
          await stack.compose("stop", "registrator");
          assert.deepEqual([...await stack.keys("/")], []);
          await world.served(5_000);
          await stack.compose("start", "registrator");
          await world.right(20_000);
        },
      );
      if (await hasSecondEngine()) await t.step("dockerd restarted", () => restartDockerd(stack));
      else console.error("\n!!! SKIPPED, dockerd restarted: needs root and dockerd on PATH\n");
    } finally {
      await stack.down();
    }
  },
);

const HELLO = "/services/hello/";

/** A service on the stack's edge network that belongs to another compose project. */
async function otherProject(
  stack: Stack,
  use: (down: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  const edge = `{external: true, name: ${stack.project}_edge}`;
  await Deno.writeTextFile(
    file,
    `services: {hello: {image: ${stack.project}-service, init: true, networks: [edge], environment: {DRAIN_SECONDS: "0"}}}\n` +
      `networks: {edge: ${edge}}\n`,
  );
  const compose = (...args: string[]) =>
    docker("compose", "-p", `${stack.project}-other`, "-f", file, ...args);
  const down = () => compose("down", "--timeout", "5");
  try {
    await compose("up", "-d");
    await use(down);
  } finally {
    await down();
    await Deno.remove(file);
  }
}

async function restartDockerd(stack: Stack): Promise<void> {
  const engine = new SecondEngine();
  try {
    const world = await moveTo(engine, stack, 3);
    assert.deepEqual(complaints(await runFault(world, dockerdRestarted(engine), RATE)), []);
  } finally {
    await engine.end();
  }
}
