// What commands learn from nginx's status listener.
import assert from "node:assert/strict";
import { edgeAt } from "./edge.ts";

const [OLD, NEW] = ["a".repeat(64), "b".repeat(64)];

/** A status listener of these pages; the traffic log is cut as nginx cuts it. */
function listener(pages: Record<string, string>): typeof fetch {
  return ((url: string) => {
    const path = new URL(url).pathname;
    const text = pages[path];
    const headers = path === "/traffic" ? { "content-range": "bytes 7-99/100" } : {};
    const status = text === undefined ? 404 : path === "/traffic" ? 206 : 200;
    return Promise.resolve(new Response(text ?? "", { status, headers }));
  }) as unknown as typeof fetch;
}

function configuration(generation: string, address: string): string {
  return `# generation ${generation}\n    upstream web {\n        server ${address} max_fails=1;\n    }\n` +
    "    # left out: /services/b/x:y:80: the value is not a JSON object\n";
}

Deno.test("live() tells what nginx serves, and does not take a configuration for live that is only swapped", async () => {
  const pages: Record<string, string> = {
    "/live": `${OLD} 1764000000000\n`,
    "/configuration": configuration(OLD, "10.0.0.1:80"),
  };
  const edge = edgeAt("http://nginx:8081/", { fetch: listener(pages) });
  const live = await edge.live();
  assert.deepEqual([...live.addresses], ["10.0.0.1:80"]);
  assert.deepEqual([...live.leftOut], [["/services/b/x:y:80", "the value is not a JSON object"]]);
  assert.deepEqual([live.generation, live.at, live.newer], [OLD, 1764000000000, false]);
  assert.equal(await edge.live(), live); // the same: not read again
  pages["/configuration"] = configuration(NEW, "10.0.0.2:80");
  assert.equal(await edge.live(), live); // nobody asks for the file while the generation is the same
  pages["/live"] = `${"c".repeat(64)} 1764000000001\n`;
  const between = await edge.live();
  assert.deepEqual([between.newer, [...between.addresses]], [true, ["10.0.0.1:80"]]);
  pages["/live"] = `${NEW} 1764000000002\n`;
  assert.deepEqual([...(await edge.live()).addresses], ["10.0.0.2:80"]);
});

Deno.test("counts() counts the last requests by address, whole lines only", async () => {
  const lines = "0.1:80\t0.1\t200\n10.0.0.1:80\t0.1\t200\n10.0.0.2:80\t0.1\t200\n" +
    "10.0.0.1:80\t0.1\t200\n10.0.0.";
  const edge = edgeAt("http://nginx:8081", { fetch: listener({ "/traffic": lines }) });
  assert.deepEqual([...await edge.counts()], [["10.0.0.1:80", 2], ["10.0.0.2:80", 1]]);
});
