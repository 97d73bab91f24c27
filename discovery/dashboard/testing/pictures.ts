// Pictures for README and report: the page, what a terminal has printed, frames side by side. Takes none where no folder is
// named. What is in them is as it was; owns no scene.
import { stripVTControlCharacters } from "node:util";
import type { Browser, Page } from "playwright-core";

/** What somebody typed, and what came back. */
export interface Typed {
  readonly command: string;
  /** As it came, escape codes and all. */
  readonly printed: string;
}

/** One moment. */
export interface Frame {
  readonly caption: string;
  /** PNG, in base64. */
  readonly image: string;
}

/** Colours of a terminal, by the code that switches them on. */
const COLOURS: Readonly<Record<string, string>> = {
  ...{ 31: "#ff9d94", 32: "#7ddba3", 33: "#f3c06c", 36: "#8ad7e8" },
};

/** Saves as WebP: a third of what PNG takes. */
export class Pictures {
  constructor(private readonly browser: Browser, private readonly folder: string | undefined) {}

  /** Whether any are taken. */
  get wanted(): boolean {
    return this.folder !== undefined;
  }

  /** A whole page, as high as it is. */
  async page(page: Page, name: string): Promise<void> {
    if (this.folder === undefined) return;
    await Deno.mkdir(this.folder, { recursive: true });
    // Playwright itself does not write WebP.
    const devtools = await page.context().newCDPSession(page);
    const { cssContentSize } = await devtools.send("Page.getLayoutMetrics");
    const { data } = await devtools.send("Page.captureScreenshot", {
      format: "webp",
      quality: 80,
      captureBeyondViewport: true,
      clip: { ...cssContentSize, scale: 1 },
    });
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    await Deno.writeFile(`${this.folder}/${name}.webp`, bytes);
  }

  /** A terminal of so many columns in which this was typed. */
  async terminal(name: string, typed: readonly Typed[], columns = 110): Promise<void> {
    if (this.folder === undefined) return;
    const text = typed.map(({ command, printed }) =>
      `<b>$ ${escaped(command)}</b>\n${coloured(printed.replace(/\s+$/, ""))}\n`
    ).join("\n");
    await this.render(
      name,
      `<style>body{margin:0;background:#131417;display:inline-block}
       pre{margin:0;padding:16px 20px;color:#d5d8dd;font:13px/1.45 "DejaVu Sans Mono",monospace;
       width:${columns + 1}ch;white-space:pre-wrap;word-break:break-all}
       b{color:#fff}</style><pre>${text}</pre>`,
    );
  }

  /** Moments one after the other, two in a line. */
  async sequence(name: string, frames: readonly Frame[]): Promise<void> {
    if (this.folder === undefined) return;
    const figures = frames.map(({ caption, image }) =>
      `<figure><figcaption>${
        escaped(caption)
      }</figcaption><img src="data:image/png;base64,${image}"></figure>`
    ).join("");
    await this.render(
      name,
      `<style>body{margin:0;padding:12px;background:#fff;width:1080px;box-sizing:border-box;
       display:grid;grid-template-columns:repeat(2,1fr);gap:14px;font:600 15px system-ui,sans-serif}
       figure{margin:0}figcaption{padding:0 0 6px;}
       img{width:100%;border:1px solid #dcdfe4;display:block}</style>${figures}`,
    );
  }

  private async render(name: string, html: string): Promise<void> {
    const page = await this.browser.newPage({ viewport: { width: 1080, height: 100 } });
    await page.setContent(`<!doctype html><meta charset="utf-8">${html}`);
    const { width } = await page.evaluate("document.body.getBoundingClientRect().toJSON()") as {
      width: number;
    };
    await page.setViewportSize({ width: Math.ceil(width), height: 100 });
    await this.page(page, name);
    await page.close();
  }
}

/** What a program prints on a terminal of so many columns, until `until` is in it; then it gets Ctrl-C. Lines with CR LF. */
export async function onTerminal(
  command: string,
  { columns, env, until, after }: {
    readonly columns: number;
    readonly env?: Record<string, string>;
    /** Called with what has come; true ends it. Else it is left to end by itself. */
    readonly until?: (printed: string) => boolean;
    /** Called when the first line has come. */
    readonly after?: () => Promise<void>;
  },
): Promise<string> {
  const child = new Deno.Command("script", { // of Debian's bsdutils: a terminal for whom wants one
    args: ["-qefc", `stty cols ${columns} rows 50; ${command}`, "/dev/null"],
    ...{ stdin: "piped", stdout: "piped", stderr: "null" },
    env: { TERM: "xterm-256color", ...env },
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), 120_000);
  const input = child.stdin.getWriter();
  let printed = "";
  let begun: Promise<void> | undefined;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += part;
    if (printed.includes("\n")) begun ??= after?.();
    if (until?.(stripVTControlCharacters(printed))) {
      await input.write(new TextEncoder().encode("\x03")).catch(() => {});
      break;
    }
  }
  await begun;
  clearTimeout(timer);
  await input.close().catch(() => {});
  await child.status;
  return printed.replaceAll("\r\n", "\n").replaceAll("^C", "");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** Escape codes for colours become colours; all others go. */
function coloured(text: string): string {
  let open = 0;
  // deno-lint-ignore no-control-regex -- that is what they begin with
  const html = escaped(text).replace(/\x1b\[(\d*)m/g, (_, code: string) => {
    const style = code === "1" ? "font-weight:700;color:#fff" : code === "2" ? "opacity:.6" : "";
    const on = COLOURS[code] ? `color:${COLOURS[code]}` : style;
    if (on !== "") return open++ >= 0 ? `<span style="${on}">` : "";
    return open > 0 && open-- ? "</span>" : "";
  });
  return stripVTControlCharacters(html) + "</span>".repeat(open);
}
