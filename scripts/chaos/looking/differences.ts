// Where Docker, etcd, the statuses and nginx do not agree with each other, after quiet. Pure.
import { HOSTS, SERVICES, STATUS } from "../../../discovery/keys.ts";
import { decodeRegistration, decodeStatus } from "../../../discovery/registration.ts";
import { isReady, type Look, runs, serverOf } from "./look.ts";

/** What is not as it is to be when nothing is wrong, in words; empty when all agree. */
export function differences(look: Look, network: string): readonly string[] {
  const { instances, others, edge, keys } = look;
  const found: string[] = [];
  for (const { name, state, health } of others) {
    if (state !== "running") found.push(`${name} is ${state}`);
    else if (health === "unhealthy") found.push(`${name} is unhealthy`);
  }
  const running = instances.filter((one) => runs(one, look));
  for (const one of running) {
    if (!isReady(one, look)) found.push(`${one.name} runs and is not ready`);
  }
  const servers = new Set(running.map((one) => serverOf(one, network) ?? `${one.name}: nowhere`));
  if (edge === undefined) found.push("nginx does not answer");
  else {
    if (edge.generation !== edge.written) found.push("nginx does not serve what its file says");
    for (const server of edge.servers) {
      if (!servers.has(server)) found.push(`nginx has ${server}, and nobody runs there`);
    }
    for (const server of servers) {
      if (!edge.servers.has(server)) found.push(`nginx does not have ${server}, which runs`);
    }
  }
  if (keys === undefined) return [...found, "etcd does not answer"];
  const registered = new Set<string>();
  const up = new Set<string>();
  for (const { key, value } of keys) {
    if (key.startsWith(SERVICES)) {
      const registration = decodeRegistration(key, value);
      const server = `${registration?.address}:${registration?.port}`;
      const one = running.find(({ name }) => name === registration?.container);
      if (!one || serverOf(one, network) !== server) found.push(`left over: ${key} at ${server}`);
      else registered.add(one.name);
    }
    if (key.startsWith(STATUS)) {
      const status = decodeStatus(value);
      if (status?.service !== "service") continue; // of the stack's other containers
      const id = key.slice(STATUS.length).split("/")[1];
      const one = running.find((one) => one.id === id);
      if (!one) found.push(`left over: ${key}`);
      else if (status.state === "up") up.add(one.name);
      else found.push(`the status of ${one.name} is ${status.state}: ${status.reason}`);
    }
  }
  for (const { name } of running) {
    if (!registered.has(name)) found.push(`${name} runs and has no key`);
    if (!up.has(name)) found.push(`${name} runs and has no status that says up`);
  }
  if (!keys.some(({ key }) => key.startsWith(HOSTS))) found.push("nobody vouches");
  return found;
}
