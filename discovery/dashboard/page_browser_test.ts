// The page in a real browser: rows come and go, connections break and heal, nobody is shut out, and it stays small.
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { eventually } from "../../scripts/testing/docker.ts";
import { browserTest, openPage } from "./testing/browser.ts";
import { Stage } from "./testing/stage.ts";

/** Names of the rows that are shown, from top to bottom. */
function names(page: Page): Promise<string[]> {
  return page.locator("tbody th[scope=row]").evaluateAll((cells) =>
    cells.map((cell) => cell.firstChild?.textContent ?? "")
  );
}

function isLive(page: Page): Promise<void> {
  return eventually(async () => {
    assert.equal(await page.locator("#connection").textContent(), "Live");
  });
}

/** What axe finds wrong, each in a line. */
async function barriers(page: Page, options: axe.RunOptions = {}): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(`axe.run(${JSON.stringify(options)})`) as {
    violations: Array<{ id: string; nodes: Array<{ html: string }> }>;
  };
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

browserTest(
  "the page follows the registry, and heals when its server was away",
  async (t, browser) => {
    await using stage = new Stage();
    for (const number of [1, 2, 10]) stage.put({ number, reason: "GET /readyz answered 200." });
    const { page, complaints } = await openPage(browser);
    await page.goto(stage.url);
    await isLive(page);
    const shows = (expected: string[]) =>
      // The promise is a second; a busy machine gets more.
      eventually(async () => assert.deepEqual(await names(page), expected), { within: 5_000 });

    await t.step(
      "instances are there in the order of people, and new ones come in between",
      async () => {
        await shows(["shop-web-1", "shop-web-2", "shop-web-10"]);
        stage.put({ number: 3, state: "starting", reason: "Nothing answers yet." });
        await shows(["shop-web-1", "shop-web-2", "shop-web-3", "shop-web-10"]);
      },
    );

    await t.step(
      "a state changes in its row, and the timeline tells when nginx had it",
      async () => {
        stage.put({ number: 3 });
        await eventually(async () => {
          const row = page.locator("tr", { hasText: "shop-web-3" }).filter({
            has: page.locator("td"),
          });
          assert.equal(await row.locator(".state").textContent(), "up");
          const first = await page.locator("#timeline li").first().textContent();
          assert.match(first ?? "", /shop-web-3 web starting → up live after \d+ ms/);
        });
        assert.equal(await page.locator("tbody .count").textContent(), "4 of 4 in rotation");
      },
    );

    await t.step(
      "who leaves drains first, then its row goes; a service goes with its last row",
      async () => {
        stage.put({ service: "api", number: 7 });
        await shows(["shop-api-7", "shop-web-1", "shop-web-2", "shop-web-3", "shop-web-10"]);
        stage.put({
          service: "api",
          number: 7,
          state: "draining",
          reason: "It got its stop signal.",
        });
        await eventually(async () => {
          assert.equal(await page.locator("tbody .draining").count(), 1);
        });
        stage.remove({ service: "api", number: 7 });
        await shows(["shop-web-1", "shop-web-2", "shop-web-3", "shop-web-10"]);
        assert.equal(await page.locator("tbody").count(), 1);
      },
    );

    await t.step("requests and latency stand in the row of whom nginx sent them", async () => {
      await eventually(async () => {
        stage.request(1, 5, 40);
        const cells = await page.locator("tr", { hasText: "shop-web-1GET" }).locator("td.number")
          .allTextContents();
        assert.ok(Number(cells[1]) > 0, `requests: ${cells[1]}`);
        assert.equal(cells[2], "40");
      });
    });

    await t.step("who is up and gives nginx no answer says so, until it does", async () => {
      const note = page.locator("tr", { hasText: "shop-web-2" }).locator("small.note");
      await eventually(async () => {
        stage.request(2, 5, 0, 502);
        assert.match(await note.textContent({ timeout: 200 }) ?? "", /no answer .* 0\.0\.0\.0/);
      });
      await eventually(async () => {
        stage.request(2, 50, 5);
        assert.equal(await note.count(), 0);
      });
    });

    await t.step("values from etcd are text, whatever they contain", async () => {
      stage.put({ number: 4, state: "rejected", reason: `<img src=x onerror="alert(1)">\u202e` });
      await eventually(async () => {
        const text = await page.locator("tr", { hasText: "shop-web-4" }).locator("small")
          .textContent();
        assert.equal(text, `<img src=x onerror="alert(1)">\ufffd`);
      });
      assert.equal(await page.locator("img").count(), 0);
      stage.registry.put("/services/web/by-hand", "}{");
      await eventually(async () => {
        assert.match(await page.locator("tr:has(.malformed)").textContent() ?? "", /etcdctl del/);
      });
      stage.registry.delete("/services/web/by-hand");
      stage.remove({ number: 4 });
      await shows(["shop-web-1", "shop-web-2", "shop-web-3", "shop-web-10"]);
    });

    await t.step(
      "nothing is a barrier, in light and in dark, at the desk and on a phone",
      async () => {
        for (const colorScheme of ["light", "dark"] as const) {
          for (const width of [1200, 360]) {
            await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
            await page.setViewportSize({ width, height: 800 });
            assert.deepEqual(await barriers(page), [], `${colorScheme}, ${width} px`);
            const wide = await page.evaluate("document.documentElement.scrollWidth");
            assert.ok(Number(wide) <= width, `${wide} px wide on a screen of ${width}`);
          }
        }
        await page.setViewportSize({ width: 1200, height: 800 });
      },
    );

    await t.step("the keyboard leads to the instances and to the filter", async () => {
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate("document.activeElement.className"), "skip");
      await page.locator("#filter").focus();
      await page.keyboard.type("web-10");
      await eventually(async () => {
        assert.equal(await page.locator("tr[id]:visible").count(), 1);
        assert.equal(await page.locator("#shown").textContent(), "1 of 4 shown");
      });
      await page.locator("#filter").fill("");
    });

    await t.step("etcd or nginx away: the chain says so, and the rows stay", async () => {
      stage.registry.failure = new Error("no answer");
      await eventually(async () => {
        assert.match(
          await page.locator("#chain").textContent() ?? "",
          /etcd brokenDoes not answer/,
        );
      });
      stage.registry.failure = undefined;
      stage.edge.failure = new Error("refused");
      await eventually(async () => {
        const text = await page.locator("#chain").textContent() ?? "";
        assert.match(text, /etcd works.*nginx brokenDoes not answer \(refused\)/);
      });
      stage.edge.failure = undefined;
      assert.equal((await names(page)).length, 4);
      await eventually(async () => {
        assert.match(await page.locator("#chain").textContent() ?? "", /nginx works/);
      });
    });

    await t.step("nothing is complained about on the console", () => {
      assert.deepEqual(complaints, []);
    });

    await t.step(
      "its server gone, it says so; another one there, it shows what that one knows",
      async () => {
        await stage.end();
        await eventually(async () => {
          assert.match(await page.locator("#connection").textContent() ?? "", /^Connection lost/);
        });
        stage.remove({ number: 1 });
        stage.put({ number: 5 });
        stage.again();
        await isLive(page);
        await shows(["shop-web-2", "shop-web-3", "shop-web-5", "shop-web-10"]);
      },
    );
  },
);

browserTest(
  "the page with 1,000 instances is small, and keeps up with 10 changes a second",
  async (_, browser) => {
    await using stage = new Stage();
    const reason = "GET /readyz on port 8080 answered 200.";
    for (let number = 1; number <= 1_000; number++) stage.put({ number, reason });
    const { page, complaints } = await openPage(browser);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Network.enable");
    let bytes = 0;
    devtools.on("Network.loadingFinished", ({ encodedDataLength }) => bytes += encodedDataLength);
    await eventually(async () => {
      await page.goto(stage.url);
      assert.equal(await page.locator("tr[id]").count(), 1_000);
    });
    bytes = 0;
    await page.goto(stage.url);
    await isLive(page);
    assert.ok(bytes > 0 && bytes <= 150_000, `${bytes} bytes`);

    await devtools.send("Performance.enable");
    const busy = async () => {
      const { metrics } = await devtools.send("Performance.getMetrics");
      return metrics.find(({ name }) => name === "TaskDuration")!.value;
    };
    const [began, before] = [performance.now(), await busy()];
    for (let change = 0; change < 50; change++) {
      const number = 1 + change * 17 % 1_000;
      stage.put({ number, reason: `Change ${change}.` });
      for (let other = 1; other <= 20; other++) stage.request(number + other, 2, 3);
      await new Promise((resolve) => setTimeout(resolve, 100)); // the pace, not a condition
    }
    const last = page.locator("small", { hasText: "Change 49." });
    await eventually(async () => assert.equal(await last.count(), 1), { within: 10_000 });
    const share = (await busy() - before) / (performance.now() - began) * 1_000;
    console.log(
      `      page: ${bytes} bytes; main thread at 10 changes/s: ${Math.round(share * 100)} %`,
    );
    // Colours are the same as with three rows, and to look at each of 1,000 takes 20 s.
    const options = { rules: { "color-contrast": { enabled: false } } };
    assert.deepEqual(await barriers(page, options), []);
    assert.deepEqual(complaints, []);
  },
);

Deno.test("the page answers on localhost only, allows no script but its own, and only reads", async () => {
  await using stage = new Stage();
  const port = new URL(stage.url).port;
  const own = await fetch(stage.url);
  const policy = own.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.doesNotMatch(await own.text(), /https?:\/\/(?!www\.w3\.org)/);
  // fetch() does not let a Host be set.
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const request = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
  await connection.write(new TextEncoder().encode(request));
  assert.match(await new Response(connection.readable).text(), /^HTTP\/1\.1 403/);
  const post = await fetch(stage.url, { method: "POST", body: "x" });
  assert.equal(post.status, 404);
  await post.body?.cancel();
});
