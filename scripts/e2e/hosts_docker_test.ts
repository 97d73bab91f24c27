// Several hosts: what happens to one of two dockerds, and what it costs clients; certificates; the same as a swarm.
import assert from "node:assert/strict";
import { dockerTest, eventually } from "../testing/docker.ts";
import { whyNoHosts, whyNoOverlay } from "./hosts.ts";
import { EACH, type Outcome, TTL, TwoHosts } from "./two_hosts.ts";

/** How late a busy machine may be, in s. */
const SLOW = 20;

const inCi = Deno.env.get("CI") === "true";
dockerTest(
  "a host of several vanishes, comes back and is cut off, and requests are answered",
  async (t) => {
    const hosts = new TwoHosts();
    const step = async (name: string, fn: () => Promise<void>) => {
      if (await t.step(name, fn)) return;
      console.error(await hosts.words());
      throw new Error(`Stopped after: ${name}`);
    };
    try {
      await step("two hosts come up: nginx serves the instances of both", () => hosts.open());
      await step(
        "a second nginx, on the other host, serves them as well",
        () => hosts.secondEdge(),
      );

      await step(
        "a host vanishes: its instances leave with its lease, and no GET fails",
        async () => {
          const outcome = await hosts.vanished();
          noneFailed(outcome, { posts: "may fail" });
          const { "its instances out of etcd": out = Infinity } = outcome.seconds;
          assert.ok(out < TTL + SLOW, `it took ${out} s`);
          assert.equal(outcome.fewest, EACH);
        },
      );

      await step("it comes back, and is served again", async () => {
        noneFailed(await hosts.cameBack());
      });

      await step(
        "a host cut off from etcd stays as long as its lease, no longer, and comes back",
        async () => {
          const outcome = await hosts.partitioned();
          noneFailed(outcome);
          const { "its instances out of etcd": out = 0 } = outcome.seconds;
          // Renewed three times in its TTL, a lease has two thirds of it left at least.
          assert.ok(out > TTL * 2 / 3 - 1 && out < TTL + SLOW, `it took ${out} s`);
          assert.equal(outcome.fewest, EACH);
        },
      );

      await step("an etcd that was wiped takes nobody out of rotation", async () => {
        const outcome = await hosts.wiped();
        noneFailed(outcome);
        assert.equal(outcome.fewest, 2 * EACH);
      });

      await step(
        "without a certificate the other host is refused by an etcd that wants one",
        async () => {
          await hosts.secured();
          await assert.rejects(hosts.asked(false), /alert|certificate required|bad certificate/i);
          await eventually(async () => {
            const events = (await hosts.said()).matchAll(/waiting for etcd|etcd answers again/g);
            assert.equal([...events].at(-1)?.[0], "waiting for etcd");
          }, { within: SLOW * 1000 });
        },
      );

      await step("with one it is let in, and its instances are served", async () => {
        assert.equal(await hosts.asked(true), "200");
        await hosts.certified();
      });

      const noOverlay = await whyNoOverlay();
      if (noOverlay !== undefined && !inCi) {
        return console.error(`\n!!! SKIPPED, a swarm: ${noOverlay.replaceAll("\n", "\n!!! ")}\n`);
      }
      await step(
        "a swarm's tasks are services by the name in their stack's file, on each node",
        async () => {
          await hosts.swarm();
          const each = (host: string) => Array(EACH).fill(`web on ${host}`);
          assert.deepEqual(await hosts.tasks(), [...each("host-a"), ...each("host-b")]);
        },
      );

      await step("a service of a swarm is scaled, and no request fails", async () => {
        noneFailed(await hosts.scaled());
      });

      await step("a node of a swarm vanishes: its tasks leave, and no GET fails", async () => {
        const outcome = await hosts.nodeVanished();
        noneFailed(outcome, { posts: "may fail" });
        const { "its tasks out of nginx": out = Infinity } = outcome.seconds;
        assert.ok(out < TTL + SLOW, `it took ${out} s`);
      });
    } finally {
      await hosts.close();
    }
  },
  await whyNoHosts(),
);

/** POSTs may fail with a host: nobody sends one again that may have been carried out. */
function noneFailed(outcome: Outcome, { posts }: { readonly posts?: "may fail" } = {}): void {
  const { sent, failed, failures, said } = outcome;
  assert.ok(sent.GET > 100 && sent.POST > 20, `only ${JSON.stringify(sent)} were sent`);
  const tolerated = posts === "may fail" ? failed.POST : 0;
  assert.equal(
    failed.GET + failed.POST - tolerated,
    0,
    JSON.stringify({ failures, said }, null, 2),
  );
}
