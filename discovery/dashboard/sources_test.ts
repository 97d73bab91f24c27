// What comes from nginx: its log, its configuration, ranges of a file that grows and is begun anew.
import assert from "node:assert/strict";
import { addressesIn, HttpEdgeSource } from "./edge_source.ts";
import { Traffic } from "./traffic.ts";

/** A server of one file, with ranges as nginx answers them. */
function fileServer(file: { text: string }): typeof fetch {
  return ((_: string, { headers }: { headers: Record<string, string> }) => {
    const { text } = file;
    const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(headers.range!)!;
    const begin = from === "" ? Math.max(0, text.length - Number(to)) : Number(from);
    if (begin >= text.length) {
      const range = { "content-range": `bytes */${text.length}` };
      return Promise.resolve(new Response("", { status: 416, headers: range }));
    }
    const part = from === "" ? text.slice(begin) : text.slice(begin, Number(to) + 1);
    const range = `bytes ${begin}-${begin + part.length - 1}/${text.length}`;
    return Promise.resolve(
      new Response(part, { status: 206, headers: { "content-range": range } }),
    );
  }) as unknown as typeof fetch;
}

Deno.test("traffic() reads what was added, whole lines only, and a file that was begun anew", async () => {
  const file = { text: "old\n" };
  const edge = new HttpEdgeSource("http://nginx:8081", { fetch: fileServer(file) });
  assert.deepEqual(await edge.traffic(), []);
  file.text += "a\t1\nb\t";
  assert.deepEqual(await edge.traffic(), ["a\t1"]);
  file.text += "2\n";
  assert.deepEqual(await edge.traffic(), ["b\t2"]);
  assert.deepEqual(await edge.traffic(), []);
  file.text = "";
  assert.deepEqual(await edge.traffic(), []);
  file.text = "c\t3\n";
  assert.deepEqual(await edge.traffic(), ["c\t3"]);
});

Deno.test("addressesIn() finds servers of upstreams, with and without parameters, and nothing else", () => {
  const text = `
    upstream web {
        server 172.20.0.5:8080 weight=2 max_fails=1;
        server [2001:db8::5]:80;
    }
    server {
        listen 8080;
        server_name web.localhost;
    }`;
  assert.deepEqual([...addressesIn(text)], ["172.20.0.5:8080", "[2001:db8::5]:80"]);
});

Deno.test("Traffic counts each try of a request, over the last looks, and passes over what is no line of ours", () => {
  const traffic = new Traffic(0);
  assert.equal(traffic.rates(), undefined);
  traffic.take(
    ["10.0.0.1:80\t0.010", "10.0.0.1:80, 10.0.0.2:80\t0.030, 0.004", "web\t1", "\0"],
    1_000,
  );
  traffic.take([], 2_000);
  assert.deepEqual(
    traffic.rates(),
    new Map([
      ["10.0.0.1:80", { requests: 1, latency: 20 }],
      ["10.0.0.2:80", { requests: 0.5, latency: 4 }],
    ]),
  );
  for (let at = 3_000; at <= 8_000; at += 1_000) traffic.take([], at);
  assert.deepEqual(traffic.rates(), new Map());
  traffic.forget(9_000);
  assert.equal(traffic.rates(), undefined);
});
