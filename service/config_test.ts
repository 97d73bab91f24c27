import assert from "node:assert/strict";
import { ConfigError, readConfig } from "./config.ts";
import { names, settings, variables } from "./settings.ts";

const read = (env: Record<string, string | undefined>) => readConfig(env, "box");

function messageOf(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  assert.fail("accepted");
}

Deno.test("readConfig() has a default for everything", () => {
  assert.deepEqual(read({}), {
    port: 8080,
    host: "0.0.0.0",
    instance: "box",
    drainMs: 3000,
    shutdownTimeoutMs: 14000,
    startDelayMs: 0,
    maxBodyBytes: 1048576,
    maxSlowMs: 10000,
    logLevel: "info",
    accessLog: false,
  });
});

Deno.test("readConfig() takes every setting", () => {
  const env = {
    PORT: "0",
    HOST: "::1",
    INSTANCE: "web-1",
    DRAIN_SECONDS: "0.5",
    SHUTDOWN_TIMEOUT_SECONDS: "2",
    START_DELAY_MS: "250",
    MAX_BODY_BYTES: "10",
    MAX_SLOW_MS: "20",
    LOG_LEVEL: "debug",
    ACCESS_LOG: "on",
  };
  assert.deepEqual(Object.keys(env).sort(), names.toSorted(), "a setting is missing in this test");
  assert.deepEqual(read(env), {
    port: 0,
    host: "::1",
    instance: "web-1",
    drainMs: 500,
    shutdownTimeoutMs: 2000,
    startDelayMs: 250,
    maxBodyBytes: 10,
    maxSlowMs: 20,
    logLevel: "debug",
    accessLog: true,
  });
});

Deno.test("readConfig() counts an empty variable as not set", () => {
  assert.equal(read({ PORT: "" }).port, 8080);
  assert.equal(read({ INSTANCE: "" }).instance, "box");
});

Deno.test("readConfig() lists every wrong setting in one message", () => {
  const message = messageOf({
    PORT: "80a",
    HOST: "no host",
    INSTANCE: "a b",
    DRAIN_SECONDS: "-1",
    SHUTDOWN_TIMEOUT_SECONDS: "1e3",
    START_DELAY_MS: "1.5",
    MAX_BODY_BYTES: "1MB",
    MAX_SLOW_MS: "3600001",
    LOG_LEVEL: "loud",
    ACCESS_LOG: "maybe",
  });
  assert.deepEqual(message.split("\n"), [
    "Cannot start: 10 settings are wrong.",
    '  PORT is "80a": give a whole number from 0 to 65535',
    '  HOST is "no host": give an IP address or host name',
    '  INSTANCE is "a b": give 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit',
    '  DRAIN_SECONDS is "-1": give a number of seconds from 0 to 3600',
    '  SHUTDOWN_TIMEOUT_SECONDS is "1e3": give a number of seconds from 0 to 3600',
    '  START_DELAY_MS is "1.5": give a whole number of milliseconds from 0 to 3600000',
    '  MAX_BODY_BYTES is "1MB": give a whole number of bytes from 0 to 1073741824',
    '  MAX_SLOW_MS is "3600001": give a whole number of milliseconds from 0 to 3600000',
    '  LOG_LEVEL is "loud": give one of debug, info, warn, error',
    '  ACCESS_LOG is "maybe": give on or off',
  ]);
});

Deno.test("readConfig() refuses odd forms of a number", () => {
  for (const port of ["0x50", " 80", "80 ", "8e1", "65536", "-1", "٨٠", "80.0", "1".repeat(400)]) {
    assert.match(messageOf({ PORT: port }), /PORT is .*: give a whole number/, port);
  }
});

Deno.test("readConfig() wants the timeout beyond the drain", () => {
  assert.match(
    messageOf({ DRAIN_SECONDS: "20" }),
    /SHUTDOWN_TIMEOUT_SECONDS is 14: give more than DRAIN_SECONDS \(20\)/,
  );
  assert.match(
    messageOf({ DRAIN_SECONDS: "14", PORT: "x" }),
    /2 settings are wrong[^]*PORT is "x"/,
  );
});

Deno.test("readConfig() names the setting that a mistaken name was meant to be", () => {
  assert.equal(
    messageOf({ DRAIN_TIMEOUT: "5", LOGLEVEL: "info" }),
    "Cannot start: 2 settings are wrong.\n" +
      "  DRAIN_TIMEOUT is not a setting: did you mean DRAIN_SECONDS?\n" +
      "  LOGLEVEL is not a setting: did you mean LOG_LEVEL?",
  );
});

Deno.test("readConfig() leaves the registrator's variables and everyone else's alone", () => {
  read({ SERVICE_NAME: "x", SERVICE_DRAIN: "y", SERVICE_8080_NAME: "z", PATH: "/bin", PORTS: "1" });
  assert.deepEqual(variables.filter((name) => name.startsWith("SERVICE_")), []);
});

Deno.test("settings: no mistaken name is a setting, and every default is accepted", () => {
  assert.equal(new Set(variables).size, variables.length);
  for (const name of names) {
    const { fallback, parse } = settings[name];
    if (fallback !== undefined) assert.ok(parse.safeParse(fallback).success, name);
  }
});
