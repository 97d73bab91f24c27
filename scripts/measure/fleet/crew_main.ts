// Many registrators in one process: their hosts have a processor each, this machine has not. Each is told by a line of
// standard input, `{"flags": ["--docker=…", …]}`, has connections of its own, and runs until the process is ended.
import process from "node:process";
import { createInterface } from "node:readline";
import { HttpEngine } from "../../../discovery/docker/engine.ts";
import { etcdPlaceOf } from "../../../discovery/etcd/etcd_place.ts";
import { EtcdRegistry } from "../../../discovery/etcd/etcd_registry.ts";
import { createLog } from "../../../discovery/log.ts";
import { readConfig } from "../../../discovery/registrator/config.ts";
import { probe } from "../../../discovery/registrator/probe.ts";
import { Registrator } from "../../../discovery/registrator/registrator.ts";
import { rulesOf, selfOf } from "../../../discovery/registrator/rules_of.ts";
import { VERSION } from "../../../discovery/version.ts";

const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());

/** As discovery/main.ts runs one, without metrics and origins. */
async function run(flags: readonly string[]): Promise<void> {
  const config = readConfig(flags, {});
  const engine = new HttpEngine(config.docker);
  const self = await selfOf(engine, config, Deno.hostname(), stop.signal);
  const registrator = new Registrator({
    engine,
    registry: new EtcdRegistry(etcdPlaceOf(config)),
    probe,
    ...rulesOf(config, self),
    ttl: config.ttl,
    resync: config.resync * 1000,
    version: VERSION,
    log: createLog("warn", (line) => console.error(`${self.host}: ${line}`)),
  });
  await registrator.run(stop.signal);
}

for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line).flags);
