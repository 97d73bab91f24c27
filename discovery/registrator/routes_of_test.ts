// SERVICE_HOST and SERVICE_PATH.
import assert from "node:assert/strict";
import { routesOf } from "./routes_of.ts";

const routes = (metadata: Record<string, string>) => routesOf(new Map(Object.entries(metadata)));

Deno.test("routesOf() gives one route for each host, on the path", () => {
  assert.deepEqual(routes({ host: "A.example.org, *.example.org", path: "/api" }), [
    { host: "a.example.org", path: "/api" },
    { host: "*.example.org", path: "/api" },
  ]);
  assert.deepEqual(routes({ host: "localhost" }), [{ host: "localhost", path: "/" }]);
  assert.deepEqual(routes({ path: "/api" }), [{ host: "", path: "/api" }]);
  assert.deepEqual(routes({}), []);
});

Deno.test("routesOf() does not take an empty item for every host", () => {
  assert.deepEqual(routes({ host: "a.org,," }), [{ host: "a.org", path: "/" }]);
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
  assert.deepEqual(routes({ host: "a\n" }), [{ host: "a", path: "/" }]); // blanks around a name are no part of it
});

Deno.test("routesOf() rejects what is no path", () => {
  for (
    const path of ["", "api", "/a b", "/a;", "/a\n", "/a{", "/$uri", '/"', `/${"a".repeat(201)}`]
  ) {
    assert.throws(() => routes({ path }), /^RejectedError: SERVICE_PATH '.*' is not a path/, path);
  }
});
