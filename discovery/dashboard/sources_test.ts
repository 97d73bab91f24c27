// What comes from nginx: its log, its configuration, ranges of a file that grows and is begun anew.
import assert from "node:assert/strict";
import { addressesIn, HttpEdgeSource } from "./edge_source.ts";
import { Traffic, triesIn } from "./traffic.ts";

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
    triesIn(["10.0.0.1:80\t0.010", "10.0.0.1:80, 10.0.0.2:80\t0.030, 0.004", "web\t1", "\0"]),
    1_000,
  );
  traffic.take([], 2_000);
  assert.deepEqual(
    traffic.rates(),
    new Map([
      ["10.0.0.1:80", { requests: 1, latency: 20, silent: 0 }],
      ["10.0.0.2:80", { requests: 0.5, latency: 4, silent: 0 }],
    ]),
  );
  for (let at = 3_000; at <= 8_000; at += 1_000) traffic.take([], at);
  assert.deepEqual(traffic.rates(), new Map());
  traffic.forget(9_000);
  assert.equal(traffic.rates(), undefined);
});

Deno.test("triesIn() tells what came back from each try, and that nothing did", () => {
  const codes = (line: string) => triesIn([line]).map(({ address, code }) => `${address} ${code}`);
  assert.deepEqual(codes("10.0.0.1:80, [fd00::5]:80\t0.1, 0.2\t502, 204"), [
    "10.0.0.1:80 5xx",
    "[fd00::5]:80 2xx",
  ]);
  assert.deepEqual(codes("10.0.0.1:80\t-\t-"), ["10.0.0.1:80 none"]);
  assert.deepEqual(codes("10.0.0.1:80\t0.1"), ["10.0.0.1:80 none"]); // an edge of an earlier version
});

Deno.test("Traffic tells which part came to nothing", () => {
  const traffic = new Traffic(0);
  traffic.take(triesIn(["10.0.0.1:80, 10.0.0.2:80\t0.000, 0.1\t502, 200"]), 1_000);
  traffic.take(triesIn(["10.0.0.1:80\t0.1\t500"]), 2_000);
  const silent = [...traffic.rates()!].map(([address, { silent }]) => [address, silent]);
  assert.deepEqual(silent, [["10.0.0.1:80", 0.5], ["10.0.0.2:80", 0]]);
});

Deno.test("totals() reads nginx's connections and what edge/apply has counted; without the latter, the former", async () => {
  const pages: Record<string, string> = {
    "/stub":
      "Active connections: 3 \nserver accepts handled requests\n 10 9 40 \nReading: 0 Writing: 1 Waiting: 2 \n",
    "/counts": "reloads 7\nreload_ms 210\nchecks 8\nfailed_check 1\nnonsense\n",
  };
  const ask = ((url: string) => {
    const text = pages[new URL(url).pathname];
    return Promise.resolve(new Response(text ?? "", { status: text === undefined ? 404 : 200 }));
  }) as unknown as typeof fetch;
  const edge = new HttpEdgeSource("http://nginx:8081", { fetch: ask });
  const { connections, counts } = await edge.totals();
  assert.deepEqual(connections, {
    ...{ active: 3, accepted: 10, handled: 9, requests: 40, reading: 0, writing: 1, waiting: 2 },
  });
  assert.deepEqual([...counts], [["reloads", 7], ["reload_ms", 210], ["checks", 8], [
    "failed_check",
    1,
  ]]);
  delete pages["/counts"];
  assert.equal((await edge.totals()).counts.size, 0);
  delete pages["/stub"];
  assert.equal((await edge.totals()).connections, undefined);
});
