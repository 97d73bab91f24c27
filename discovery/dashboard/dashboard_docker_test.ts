// The page on the real stack: scaling seen in a browser; and, with PICTURES=<folder>, pictures of it for README and report.
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { accountFor } from "../../scripts/bench/measure/account.ts";
import { Stack } from "../../scripts/e2e/stack.ts";
import { docker, dockerTest, eventually } from "../../scripts/testing/docker.ts";
import { launch, openPage } from "./testing/browser.ts";
import { type Frame, onTerminal, Pictures } from "./testing/pictures.ts";

const FOLDER = Deno.env.get("PICTURES");
const PROJECT = "rollcall";
const COLUMNS = 118;
/** Requests per second. */
const RATE = FOLDER ? 200 : 40;
/** Of the frames in the picture of scaling. */
const NARROW = 600;

/** Notes in the page when a row came into rotation there, by the name of its instance. */
const NOTE_ROWS = `
  globalThis.shownUp = new Map();
  const note = (at) => {
    for (const row of document.querySelectorAll("tbody tr[id]")) {
      if (!row.querySelector(".state.up")) continue;
      const name = row.querySelector("th").firstChild.textContent;
      if (!shownUp.has(name)) shownUp.set(name, at);
    }
  };
  note(undefined); // those that are there already
  new MutationObserver(() => note(Date.now())).observe(document.getElementById("table"), { subtree: true, childList: true });`;

/** How long after an instance was live its row said so, in ms, of those in the timeline; below 0: before. */
const LAGS = `[...document.querySelectorAll("#timeline li")].flatMap((line) => {
    const after = /→ up live after (\\d+) ms/.exec(line.textContent.replace(/\\s+/g, " "));
    const seen = shownUp.get(line.querySelector("b").textContent);
    const at = Date.parse(line.querySelector("time").dateTime);
    return after && seen ? [seen - at - Number(after[1])] : [];
  })`;

dockerTest("the page shows docker compose up --scale as it happens", async (t) => {
  if (FOLDER) { // with the names and ports that the README has
    const others = await docker(
      "ps",
      "-q",
      "--filter",
      `label=com.docker.compose.project=${PROJECT}`,
    );
    if (others !== "") {
      throw new Error(`Cannot take pictures: a project ${PROJECT} is running here`);
    }
  }
  const stack = FOLDER
    ? new Stack({ HTTP_PORT: "8080", DASHBOARD_PORT: "8088" }, PROJECT)
    : new Stack();
  const browser = await launch();
  const pictures = new Pictures(browser, FOLDER);
  const step = async (name: string, fn: () => Promise<void>) => {
    if (!await t.step(name, fn)) throw new Error(`Stopped after: ${name}`);
  };
  const env = { HTTP_PORT: String(stack.port), DASHBOARD_PORT: String(stack.dashboardPort) };
  const compose = `docker compose${FOLDER ? "" : ` -p ${stack.project}`}`;
  /** A picture of commands as they are typed, in the folder of compose.yaml. */
  const terminal = async (name: string, ...commands: readonly string[]) => {
    if (!pictures.wanted) return;
    const typed = [];
    for (const command of commands) {
      typed.push({ command, printed: await onTerminal(command, { columns: COLUMNS, env }) });
    }
    await pictures.terminal(name, typed, COLUMNS);
  };
  let load: Awaited<ReturnType<Stack["load"]>> | undefined;
  try {
    const { page, complaints } = await openPage(browser, {
      viewport: { width: 1080, height: 800 },
      colorScheme: "light",
      reducedMotion: "reduce",
    });
    /** Our rows: other projects on this machine, which are not on our network, are shown as well. */
    const mine = (where = page) =>
      where.locator("tbody tr[id]", { hasText: `${stack.project}-service-` });
    const draining = (where = page) => mine(where).filter({ has: where.locator(".draining") });
    const rates = (where = page) => mine(where).locator("td:nth-child(5)").allTextContents();
    const up = (count: number) =>
      eventually(async () => {
        assert.equal(await mine().filter({ has: page.locator(".up") }).count(), count);
        assert.equal(await mine().count(), count);
      }, { within: 60_000 });
    const settled = (count: number) =>
      eventually(async () => {
        const chain = await page.locator("#chain").textContent() ?? "";
        assert.match(chain, new RegExp(`All ${count} that should be live are`));
      }, { within: 10_000 });
    const { page: narrow } = await openPage(browser, {
      viewport: { width: NARROW, height: 960 },
      colorScheme: "light",
      reducedMotion: "reduce",
    });
    const frames: Frame[] = [];
    const frame = async (caption: string) => {
      if (!pictures.wanted) return;
      const clip = await narrow.locator("#instances").boundingBox() ?? undefined;
      const shot = await narrow.screenshot({
        ...clip && { clip: { ...clip, x: 0, width: NARROW }, fullPage: true },
      });
      frames.push({ caption, image: shot.toBase64() });
    };

    await step("one instance is there, and every link of the chain works", async () => {
      await stack.compose("up", "-d", "--build", "--scale", "service=1");
      const url = `http://localhost:${stack.dashboardPort}/`;
      await eventually(async () => {
        await page.goto(url);
        await narrow.goto(url);
      }, { within: 60_000 });
      complaints.splice(0); // of tries before it listened
      await up(1);
      await settled(1);
      await eventually(async () => {
        const chain = await page.locator("#chain").textContent() ?? "";
        for (const link of ["docker", "registrator", "etcd", "confd", "nginx"]) {
          assert.match(chain, new RegExp(`${link} works`));
        }
      }, { within: 20_000 });
      await pictures.page(page, "page_1");
    });

    await step("three instances; requests stand in the rows of those that got them", async () => {
      await stack.scale(3);
      await up(3);
      const curl = `for i in 1 2 3 4 5 6; do curl -s ${stack.url}/; echo; done`;
      await terminal("curl", curl.replace("127.0.0.1", "localhost")); // before others ask
      load = await stack.load(RATE, 3);
      await eventually(async () => {
        const now = await rates();
        assert.ok(now.length === 3 && now.every((rate) => Number(rate) > 5), now.join());
      }, { within: 20_000 });
      await settled(3);
      await pictures.page(page, "page_3");
      await frame(`3 instances, ${RATE} requests per second`);
      await terminal(
        "etcdctl",
        `${compose} exec etcd etcdctl get --prefix /services --keys-only`,
        `${compose} exec etcd etcdctl get --prefix /services/service/ --limit 1`,
        `${compose} exec etcd etcdctl get --prefix /rollcall/hosts`,
      );
      const [first] = [`${stack.project}-service-1`];
      await terminal(
        "rollcall",
        `${compose} exec registrator rollcall ls`,
        `${compose} exec registrator rollcall explain ${first}`,
      );
    });

    await step("scale 10: all ten are shown, within a second of their going live", async () => {
      await page.evaluate(NOTE_ROWS);
      const began = Date.now();
      const scaling = async () => {
        const scaled = stack.scale(10);
        await eventually(async () => {
          assert.ok(await mine(narrow).count() >= 6);
        }, { within: 30_000, every: 20 });
        await frame(`--scale service=10, after ${seconds(began)}: they come`);
        await scaled;
        await up(10);
      };
      if (pictures.wanted) {
        const printed = await onTerminal(`${compose} exec registrator rollcall watch`, {
          ...{ columns: COLUMNS, env, after: scaling },
          until: (text) => (text.match(/\+ +service /g)?.length ?? 0) >= 7,
        });
        const command = `${compose} exec registrator rollcall watch`;
        await pictures.terminal("watch", [{ command, printed }], COLUMNS);
      } else await scaling();
      await settled(10);
      await frame(`after ${seconds(began)}: ten in rotation`);
      const lags = await eventually(async () => {
        const lags = await page.evaluate(LAGS) as number[];
        assert.ok(lags.length >= 7, lags.join()); // more where one has gone and come back on a busy machine
        return lags;
      });
      const most = Math.max(...lags);
      console.error(`      shown at most ${most} ms after nginx had it`);
      assert.ok(most < 5_000, lags.join()); // 1 s on a quiet machine (docs/measurements.md)
      await pictures.page(page, "page_10");
    });

    await step("scale 3: seven drain, out of nginx at once, and then their rows go", async () => {
      const began = Date.now();
      const scaling = stack.scale(3);
      await eventually(async () => {
        assert.equal(await draining().count(), 7);
      }, { within: 10_000, every: 20 });
      await settled(3);
      await eventually(async () => {
        assert.equal(await draining(narrow).count(), 7);
      }, { within: 2_000, every: 20 }).catch(() => {}); // a busy machine may have come too late
      await frame(`--scale service=3, after ${seconds(began)}: seven finish what they have`);
      await pictures.page(page, "page_draining");
      await scaling;
      await up(3);
      await frame(`after ${seconds(began)}: three again`);
      const recording = await load!.stop();
      load = undefined;
      const { failures } = accountFor(recording);
      assert.deepEqual(failures, []);
      if (pictures.wanted) {
        const count = recording.intended.length;
        await eventually(async () => {
          const now = await rates(narrow);
          assert.ok(now.every((rate) => Number(rate) === 0), now.join());
        }, { within: 20_000 });
        await frame(`all in all ${count} requests, ${failures.length} failed`);
        await pictures.sequence("scaling", frames);
      }
    });

    await step("nobody is shut out, and the console has nothing to complain of", async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await barriers(page), []);
      }
      await page.emulateMedia({ colorScheme: "light" });
      assert.deepEqual(complaints, []);
    });

    await step("without the page nginx starts and serves, and the page comes back", async () => {
      await stack.compose("stop", "dashboard");
      await eventually(async () => {
        assert.match(await page.locator("#connection").textContent() ?? "", /^Connection lost/);
      }, { within: 20_000 });
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

function seconds(began: number): string {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}

/** What axe finds wrong, each in a line. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as {
    violations: Array<{ id: string; nodes: Array<{ html: string }> }>;
  };
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
