// The load alone, for trying things out: `deno run -A scripts/bench/load/main.ts --port 8080`. Starts no stack.

import { parseArgs } from "node:util";
import { accountFor, failed } from "../measure/account.ts";
import { paceOf } from "../measure/pace.ts";
import { Load } from "./load.ts";
import { loadOptions } from "./options.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "10" },
    client: { type: "string", default: "kept" },
    seed: { type: "string", default: "1" },
    /** The Host header, where routing asks for one. */
    host: { type: "string" },
  },
});

const client = values.client;
if (client !== "kept" && client !== "new" && client !== "both") {
  console.error(`Cannot use --client ${client}: give kept, new or both`);
  Deno.exit(2);
}
const [port, rate, seed, maxSeconds] = [values.port, values.rate, values.seed, values.seconds].map(
  Number,
);
const subject = values.host === undefined ? {} : { host: values.host };
const load = new Load(
  loadOptions({ port: port!, rate: rate!, seed: seed!, client, subject, maxSeconds: maxSeconds! }),
);
Deno.addSignalListener("SIGINT", () => void load.stop().catch(() => {}));
await load.finished;
const recording = await load.stop();
const account = accountFor(recording);
console.log(
  JSON.stringify({ ...account, pace: paceOf(recording), instances: recording.instances }, null, 2),
);
Deno.exit(failed(account) === 0 ? 0 : 1);
