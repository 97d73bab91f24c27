// Signals by name and number.
import assert from "node:assert/strict";
import { signalName, signalNumber } from "./signals.ts";

Deno.test("signalNumber() reads every form that STOPSIGNAL and events have", () => {
  const known: Record<string, number> = {
    SIGTERM: 15,
    TERM: 15,
    "15": 15,
    sigquit: 3,
    SIGWINCH: 28,
    "9": 9,
    SEGV: 11,
    SIGRTMIN: 34,
    "SIGRTMIN+3": 37,
    "RTMAX-1": 63,
    SIGRTMAX: 64,
    " INT ": 2,
  };
  for (const [text, number] of Object.entries(known)) {
    assert.equal(signalNumber(text), number, text);
  }
});

Deno.test("signalNumber() is undefined for what is no signal", () => {
  for (
    const text of [
      "",
      "SIG",
      "SIGNOPE",
      "0",
      "65",
      "-1",
      "1.5",
      "RTMIN-1",
      "constructor",
      "__proto__",
    ]
  ) {
    assert.equal(signalNumber(text), undefined, text);
  }
});

Deno.test("signalName() is for people", () => {
  assert.deepEqual([15, 9, 3, 31, 37].map(signalName), [
    "SIGTERM",
    "SIGKILL",
    "SIGQUIT",
    "SIGSYS",
    "signal 37",
  ]);
});
