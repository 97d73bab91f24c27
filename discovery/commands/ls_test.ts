// The list as text, as JSON, and watched.
import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { ls, textOf } from "./ls.ts";
import { readView } from "./context.ts";
import { NOW, sampleContext, sampleEdge, SampleRegistry } from "./sample.ts";

const long = "GET http://172.20.0.5/readyz: connection refused: does the application listen there?";

async function sample(): Promise<SampleRegistry> {
  return await new SampleRegistry().instance("web", "web-1", "up")
    .instance("web", "web-2", "starting", { reason: long }).vouch();
}

Deno.test("ls() writes a row for each instance and how many are in rotation, uncut where nobody looks", async () => {
  const { context, text } = sampleContext(await sample());
  assert.equal(await ls([], {}, context), 0);
  const [head, first, second, , count] = text().split("\n");
  assert.match(head!, /^SERVICE {2}INSTANCE {2}STATE/);
  assert.match(first!, /^web {6}web-1:80 {2}up {8}172\.20\.0\.5:80 {2}1 {7}3m /);
  assert.ok(second!.endsWith(long));
  assert.equal(count, "web: 1 of 2 in rotation");
});

Deno.test("ls() lists only the services that are named", async () => {
  const { context, text } = sampleContext((await sample()).instance("api", "api-1", "up"));
  await ls(["api"], { json: true }, context);
  const { instances } = JSON.parse(text());
  assert.deepEqual(
    instances.map(({ container, traffic }: Record<string, unknown>) => [container, traffic]),
    [
      ["api-1", true],
    ],
  );
});

Deno.test("ls() fits every width of a terminal from 40 columns on, with colours too", async () => {
  const view = await readView(await sample());
  for (const width of [40, 60, 80, 200]) {
    const text = textOf(view, NOW, { interactive: true, colours: true, width: () => width });
    assert.ok(text.includes("\x1b[32mup\x1b[39m"));
    const lines = stripVTControlCharacters(text).split("\n");
    assert.equal(lines.length, 5, "a row is one line");
    for (const line of lines) {
      assert.ok(line.length <= width, `${width}: '${line}' has ${line.length}`);
    }
  }
});

Deno.test("ls() says when nobody vouches, and which drains and keys are left over", async () => {
  const registry = new SampleRegistry().drain("gone");
  registry.put("/services/web/x", "}{");
  const { context, text } = sampleContext(registry);
  await ls([], {}, context);
  assert.match(text(), /^No instances\.\n/);
  assert.match(text(), /No registrator vouches/);
  assert.match(text(), /rollcall undrain gone/);
  assert.match(text(), /The value of \/services\/web\/x is malformed/);
});

Deno.test("ls() --watch --json writes a line for each change, and ends with its signal", async () => {
  const registry = await sample();
  const stop = new AbortController();
  let looks = 0;
  const { context, text } = sampleContext(registry, {
    signal: stop.signal,
    wait: () => {
      if (++looks === 3) registry.instance("web", "web-2", "up");
      if (looks === 6) stop.abort();
      return Promise.resolve();
    },
  });
  assert.equal(await ls([], { json: true, watch: true }, context), 0);
  const counts = text().trim().split("\n").map((line) =>
    JSON.parse(line).instances.filter(({ traffic }: { traffic: boolean }) => traffic).length
  );
  assert.deepEqual(counts, [1, 2]);
});

Deno.test("ls() tells which share of its service's last requests an instance was sent, when nginx tells", async () => {
  const registry = new SampleRegistry().instance("web", "web-1", "up")
    .instance("api", "api-1", "up").instance("web", "web-2", "starting");
  const edge = sampleEdge({ counts: () => Promise.resolve(new Map([["172.20.0.5:80", 30]])) });
  const { context, text } = sampleContext(registry, { edge });
  await ls(["web"], {}, context);
  const [head, up, starting] = text().split("\n");
  assert.match(head!, /WEIGHT {2}SHARE {2,}SINCE/);
  assert.match(up!, / {2}1 {7}100 % {2,}3m /);
  assert.match(starting!, / {2}- {7}- {2,}3m /);
  const json = sampleContext(registry, { edge });
  await ls(["web"], { json: true }, json.context);
  const shares = JSON.parse(json.text()).instances.map(({ share }: { share?: number }) => share);
  assert.deepEqual(shares, [1, undefined]);
});
