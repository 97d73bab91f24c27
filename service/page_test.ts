import assert from "node:assert/strict";
import { duration, hueOf, page } from "./page.ts";

const status = { instance: "web-1", version: "1.2.3", uptime: 3723.4, requests: 12345 };

Deno.test("page() tells what the JSON tells", () => {
  const text = page(status, "n0nce");
  assert.ok(text.startsWith("<!doctype html>"));
  assert.match(text, /<html lang="en">/);
  assert.match(text, /<title>web-1 · Rollcall<\/title>/);
  assert.match(text, /<h1>web-1<\/h1>/);
  for (const shown of ["1.2.3", "1 h 2 min", "12,345"]) assert.ok(text.includes(shown), shown);
});

Deno.test("page() escapes what varies", () => {
  const text = page({ ...status, instance: "<b>&\"'", version: "<i>" }, '"><script>');
  assert.doesNotMatch(text, /<b>|<i>|<script/);
  assert.match(text, /<h1>&lt;b&gt;&amp;&quot;&#39;<\/h1>/);
});

Deno.test("page() loads nothing and runs nothing, so that the strict policy holds", () => {
  const text = page(status, "n0nce");
  assert.doesNotMatch(text, /<script|\son\w+=|style="|@import|url\(/);
  for (const [, url] of text.matchAll(/(?:href|src)="([^"]*)"/g)) {
    assert.match(url!, /^(data:|$|[a-z]+(\?ms=500)?$)/, `${url}`);
  }
  assert.match(text, /<style nonce="n0nce">/);
});

Deno.test("page() is coloured by its instance", () => {
  const text = page(status, "");
  assert.ok(text.includes(`oklch(42% .12 ${hueOf("web-1")})`));
});

Deno.test("hueOf() is steady, in range, and spreads names that differ little", () => {
  assert.equal(hueOf("web-1"), hueOf("web-1"));
  const hues = Array.from({ length: 200 }, (_, index) => hueOf(`rollcall-service-${index}`));
  assert.ok(hues.every((hue) => Number.isInteger(hue) && hue >= 0 && hue < 360));
  const sixths = new Set(hues.slice(0, 40).map((hue) => Math.floor(hue / 60)));
  assert.equal(sixths.size, 6);
});

Deno.test("duration() takes the two largest units", () => {
  const cases: [number, string][] = [
    [0, "less than a second"],
    [0.9, "less than a second"],
    [59.9, "59 s"],
    [60, "1 min 0 s"],
    [3723, "1 h 2 min"],
    [90061, "1 d 1 h"],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
});
