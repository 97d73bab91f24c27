// Every link and picture in our pages leads to something that is there, headings included. What lies on other hosts is not asked.
import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url);

/** Our pages below a folder, as paths from the root; what begins with a dot is not ours. */
async function* pagesIn(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))) {
    if (name.startsWith(".") || name === "node_modules") continue;
    if (isDirectory) yield* pagesIn(`${folder}${name}/`);
    else if (name.endsWith(".md")) yield folder + name;
  }
}

/** How a heading is called in a link, as Git hosts have it. */
function anchor(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

Deno.test("links in Markdown lead to files and headings that are there", async () => {
  const pages = await Array.fromAsync(pagesIn(""));
  assert.ok(pages.includes("README.md"));
  const broken: string[] = [];
  for (const page of pages) {
    const text = (await Deno.readTextFile(new URL(page, ROOT))).replace(/```.*?```/gs, "");
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path = "", heading] = target!.split("#");
      const file = path === "" ? new URL(page, ROOT) : new URL(path, new URL(page, ROOT));
      const found = await Deno.stat(file).catch(() => undefined);
      if (!found) broken.push(`${page}: ${target}`);
      if (!found?.isFile || heading === undefined) continue;
      const headings = (await Deno.readTextFile(file)).matchAll(/^#+ (.+)$/gm);
      if (![...headings].some(([, line]) => anchor(line!) === heading)) {
        broken.push(`${page}: ${target} (no such heading)`);
      }
    }
  }
  assert.deepEqual(broken, []);
});
