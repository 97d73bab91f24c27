// A headless Chromium for tests: found, started on a new profile, ended. Owns no page and no assertion.
import { type Browser, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Where a Chromium is on this machine: CHROMIUM_BIN, else on PATH; undefined when there is none. */
export function chromiumPath(): string | undefined {
  const named = Deno.env.get("CHROMIUM_BIN");
  if (named) return named;
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of NAMES) {
      try {
        if (Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
      } catch {
        // not there
      }
    }
  }
}

/** Starts Chromium; its profile is a new one. */
export function launch(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    throw new Error(
      "Cannot start Chromium: it is not on PATH. Run ./scripts/test, or set CHROMIUM_BIN",
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

/** A page that keeps what its console and its scripts complain about. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage(options);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, complaints };
}

/**
 * A test that needs a Chromium. Without one it is skipped with a line that nobody can overlook;
 * under CI=true that is a failure, as a skipped proof is no proof.
 */
export function browserTest(
  name: string,
  fn: (t: Deno.TestContext, browser: Browser) => Promise<void>,
): void {
  const missing = chromiumPath() === undefined;
  const inCi = Deno.env.get("CI") === "true";
  if (missing && !inCi) {
    console.error(`\n!!! SKIPPED, NO CHROMIUM: ${name}\n!!! Run ./scripts/test\n`);
  }
  Deno.test({
    name,
    ignore: missing && !inCi, // under CI the test runs, and fails
    sanitizeResources: false, // the browser's processes and pipes end on their own time
    sanitizeOps: false,
    async fn(t) {
      const browser = await launch();
      try {
        await fn(t, browser);
      } finally {
        await browser.close();
      }
    },
  });
}
