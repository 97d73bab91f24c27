// What must hold in every run, on any machine: promises and book-keeping, no times. Pure.

import { balances, failed } from "./account.ts";
import type { Measurement } from "./measurement.ts";

/** The generator has to reach this share of its rate, on a busy machine too, or too little was asked. */
const leastRate = 0.8;

/** What is broken, a line each; empty when all is well. */
export function violations(measurements: readonly Measurement[]): readonly string[] {
  return measurements.flatMap((measurement) => {
    const { subject, scenario, client } = measurement;
    const broken = [...ofTheHarness(measurement)];
    if (subject === "rollcall") broken.push(...ofRollcall(measurement));
    return broken.map((what) => `${subject} ${scenario} (${client}): ${what}`);
  });
}

function* ofTheHarness({ account, pace, rate }: Measurement): Generator<string> {
  if (!balances(account)) yield "sent is not answered + failed";
  if (pace.achievedRate < leastRate * rate) {
    yield `the generator reached ${pace.achievedRate.toFixed(0)} of ${rate} requests per second`;
  }
}

function* ofRollcall({ account, backend, unseen }: Measurement): Generator<string> {
  const gets = failed(account, { method: "GET" });
  const posts = failed(account, { method: "POST" });
  if (gets > 0) yield `${gets} GETs failed`;
  // One that exits at once takes the POSTs with it that it is answering: nobody can save those.
  if (posts > 0 && backend !== "abrupt") yield `${posts} POSTs failed`;
  if (unseen > 0) yield `${unseen} instances never got a request`;
}
