// SERVICE_HOST and SERVICE_PATH.
import assert from "node:assert/strict";
import { routesOf } from "./routes_of.ts";

const routes = (metadata: Record<string, string>) => routesOf(new Map(Object.entries(metadata)));

Deno.test("routesOf() gives one route for each host, on the path", () => {
  assert.deepEqual(routes({ host: "A.example.org, *.example.org", path: "/api" }), [
    { host: "a.example.org", path: "/api", strip: false },
    { host: "*.example.org", path: "/api", strip: false },
  ]);
  assert.deepEqual(routes({ host: "localhost" }), [{ host: "localhost", path: "/", strip: false }]);
  assert.deepEqual(routes({ path: "/api" }), [{ host: "", path: "/api", strip: false }]);
  assert.deepEqual(routes({}), []);
});

Deno.test("routesOf() does not take an empty item for every host", () => {
  assert.deepEqual(routes({ host: "a.org,," }), [{ host: "a.org", path: "/", strip: false }]);
  assert.deepEqual(routes({ host: " " }), []);
});

Deno.test("routesOf() rejects what is no host name", () => {
  const wrong = [
    "a b",
    "a;",
    "a..b",
    ".a",
    "a.",
    "-a",
    "a-",
    "*",
    "*.",
    "**.a",
    "a.*.b",
    "a_b",
    "ä.org",
    "a\n",
  ]
    .concat("a".repeat(64), `${"a.".repeat(130)}a`, "$host", "a{b", "_");
  for (const host of wrong.filter((name) => name !== "a\n")) {
    assert.throws(
      () => routes({ host }),
      /^RejectedError: SERVICE_HOST '.*' is not a host name/,
      host,
    );
  }
  assert.deepEqual(routes({ host: "a\n" }), [{ host: "a", path: "/", strip: false }]); // blanks around a name are no part of it
});

Deno.test("routesOf() takes a path with and without a slash at its end for the same", () => {
  assert.deepEqual(routes({ path: "/api/v1/" }), routes({ path: "/api/v1" }));
  assert.deepEqual(routes({ host: "a.org", path: "/" }), routes({ host: "a.org" }));
  assert.equal(
    routes({ path: "/.well-known/acme-challenge" })[0]!.path,
    "/.well-known/acme-challenge",
  );
});

Deno.test("routesOf() strips a path where SERVICE_PATH_STRIP says so and there is something to strip", () => {
  const strip = (metadata: Record<string, string>) => routes(metadata)[0]!.strip;
  assert.equal(strip({ path: "/api", path_strip: "true" }), true);
  assert.equal(strip({ path: "/api", path_strip: "false" }), false);
  assert.equal(strip({ path: "/", path_strip: "true" }), false);
  assert.equal(strip({ host: "a.org", path_strip: "true" }), false);
});

Deno.test("routesOf() rejects more names than the edge takes", () => {
  const hosts = (n: number) => Array.from({ length: n }, (_, i) => `h${i}.org`).join();
  assert.equal(routes({ host: hosts(16) }).length, 16);
  assert.throws(() => routes({ host: hosts(17) }), /SERVICE_HOST has 17 names, more than 16/);
});

Deno.test("routesOf() rejects the path on which nginx itself answers", () => {
  for (const path of ["/.rollcall", "/.rollcall/", "/.rollcall/error.json", "/.rollcallx"]) {
    assert.throws(() => routes({ path }), /SERVICE_PATH '.*' is nginx's own/, path);
  }
});

Deno.test("routesOf() rejects what is no path", () => {
  for (
    const path of ["", "api", "/a b", "/a;", "/a\n", "/a{", "/$uri", '/"', `/${"a".repeat(200)}`]
      .concat("//", "/a//b", "/a/../b", "/..", "/.", "/a/.", "/a/./b", "/a%2Fb", "/a//", "/a?b")
  ) {
    assert.throws(() => routes({ path }), /^RejectedError: SERVICE_PATH '.*' is not a path/, path);
  }
});
