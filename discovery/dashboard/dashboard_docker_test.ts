// The page on the real stack: scaling seen in a browser; and, with PICTURES=<folder>, pictures of it for the README.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { accountFor } from "../../scripts/bench/measure/account.ts";
import { Stack } from "../../scripts/e2e/stack.ts";
import { docker, dockerTest, eventually } from "../../scripts/testing/docker.ts";
import { launch, openPage } from "./testing/browser.ts";

const PICTURES = Deno.env.get("PICTURES");

dockerTest("the page shows docker compose up --scale as it happens", async (t) => {
  const stack = new Stack();
  const browser = await launch();
  const step = async (name: string, fn: () => Promise<void>) => {
    if (!await t.step(name, fn)) throw new Error(`Stopped after: ${name}`);
  };
  let load: Awaited<ReturnType<Stack["load"]>> | undefined;
  try {
    const { page, complaints } = await openPage(browser, {
      viewport: { width: 1080, height: 800 },
      colorScheme: "light",
      reducedMotion: "reduce",
    });
    const up = (count: number) =>
      eventually(async () => {
        assert.equal(await page.locator("tbody .up").count(), count);
        assert.equal(await page.locator("tbody tr[id]").count(), count);
      }, { within: 30_000 });
    const settled = (count: number) =>
      eventually(async () => {
        const chain = await page.locator("#chain").textContent() ?? "";
        assert.match(chain, new RegExp(`All ${count} that should be live are`));
      }, { within: 10_000 });

    await step("three instances are there, and every link that can be seen works", async () => {
      await stack.compose("up", "-d", "--build", "--scale", "service=3");
      const url = `http://localhost:${stack.dashboardPort}/`;
      await eventually(async () => {
        await page.goto(url);
      }, { within: 60_000 });
      complaints.splice(0); // of tries before it listened
      await up(3);
      await settled(3);
      for (const link of ["registrator", "etcd", "confd", "nginx"]) {
        assert.match(await page.locator("#chain").textContent() ?? "", new RegExp(`${link} works`));
      }
    });

    await step("requests stand in the rows of those that nginx sent them to", async () => {
      load = await stack.load(40);
      await eventually(async () => {
        const rates = await page.locator("tbody tr[id] td:nth-child(5)").allTextContents();
        assert.ok(rates.length === 3 && rates.every((rate) => Number(rate) > 5), rates.join());
      }, { within: 20_000 });
      await picture(page, "page_3");
    });

    await step(
      "scale 10: all ten are shown, and how long each took until nginx had it",
      async () => {
        await stack.scale(10);
        await up(10);
        await settled(10);
        await eventually(async () => {
          const latest = await page.locator("#timeline li").first().textContent() ?? "";
          assert.match(latest, /→ up live after \d+ ms/);
        });
        await picture(page, "page_10");
      },
    );

    await step("scale 3: seven drain, out of nginx at once, and then their rows go", async () => {
      const scaling = stack.scale(3);
      await eventually(async () => {
        assert.equal(await page.locator("tbody .draining").count(), 7);
      }, { within: 10_000, every: 20 });
      await settled(3);
      await picture(page, "page_draining");
      await scaling;
      await up(3);
      const recording = await load!.stop();
      load = undefined;
      assert.deepEqual(accountFor(recording).failures, []);
    });

    await step("without the page nginx starts and serves", async () => {
      await stack.compose("stop", "dashboard");
      await stack.compose("restart", "nginx");
      await eventually(async () => assert.equal((await stack.get("/")).status, 200), {
        within: 20_000,
      });
      await stack.compose("start", "dashboard");
      await eventually(async () => {
        assert.equal(await page.locator("#connection").textContent(), "Live");
      }, { within: 20_000 });
      await up(3);
    });

    await step("the page's container is healthy, and its port is on 127.0.0.1 only", async () => {
      const [id] = await stack.containers("dashboard");
      await eventually(async () => {
        const health = await docker("inspect", "-f", "{{.State.Health.Status}}", id!);
        assert.equal(health.trim(), "healthy");
      }, { within: 40_000, every: 500 });
      assert.match(await docker("port", id!), /^8080\/tcp -> 127\.0\.0\.1:\d+\n$/);
    });
  } finally {
    await load?.stop();
    await browser.close();
    await stack.down();
  }
});

async function picture(page: Page, name: string): Promise<void> {
  if (!PICTURES) return;
  await Deno.mkdir(PICTURES, { recursive: true });
  // WebP: a third of what PNG takes, and Playwright itself does not write it.
  const devtools = await page.context().newCDPSession(page);
  const { cssContentSize } = await devtools.send("Page.getLayoutMetrics");
  const { data } = await devtools.send("Page.captureScreenshot", {
    format: "webp",
    quality: 80,
    captureBeyondViewport: true,
    clip: { ...cssContentSize, scale: 1 },
  });
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  await Deno.writeFile(`${PICTURES}/${name}.webp`, bytes);
}
