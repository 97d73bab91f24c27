// Docker's recorded events, turned into ours.
import assert from "node:assert/strict";
import { EVENT_FILTERS, parseEvent } from "./events.ts";

const DATA = new URL("./testdata/", import.meta.url);
const recorded = (name: string) => Deno.readTextFileSync(new URL(name, DATA)).trim().split("\n");
const events = recorded("events.ndjson").map(parseEvent);

Deno.test("parseEvent() reads the life of a container: start, other signal, stop signal, end, start again", () => {
  const web = events.find((event) => event?.name === "shop-web-1")!.id;
  const life = events.filter((event) => event?.id === web && event.name !== "").map((event) =>
    event!.action === "kill" ? `kill ${event!.signal}` : event!.action
  );
  assert.deepEqual(life, ["start", "kill 1", "kill 3", "die", "start", "kill 9", "die", "destroy"]);
});

Deno.test("parseEvent() reads pause, unpause, rename, health and networks", () => {
  const actions = events.map((event) => event?.action === "health" ? event.health : event?.action);
  for (const action of ["pause", "unpause", "rename", "networks", "healthy", "unhealthy"]) {
    assert.ok(actions.includes(action as never), action);
  }
});

Deno.test("parseEvent() names the container of a network event, not the network", () => {
  const dns = events.find((event) => event?.name === "shop-dns-1")!.id;
  const changes = events.filter((event) => event?.action === "networks" && event.id === dns);
  assert.ok(changes.length >= 2);
});

Deno.test("parseEvent() keeps Docker's time to the nanosecond, which a number cannot hold", () => {
  const [line] = recorded("event_sigkill_with_label_signal.json");
  assert.equal(parseEvent(line!)?.at, 1795407040372838877n);
  const times = events.map((event) => event!.at);
  assert.deepEqual(times, times.toSorted((a, b) => a < b ? -1 : 1));
});

Deno.test("parseEvent() reads what Docker says, even where a container's label stands over the signal", () => {
  const event = parseEvent(recorded("event_sigkill_with_label_signal.json")[0]!);
  assert.equal(event?.action === "kill" && event.signal, 1); // it was 9: departures know what to make of it
});

Deno.test("parseEvent() reads the events of a current engine (modelled after API 1.52)", () => {
  const life = recorded("engine_29_modelled_events.ndjson").map(parseEvent).map((event) =>
    event?.action
  );
  assert.deepEqual(life, ["networks", "start", "health", "kill", "die"]);
});

Deno.test("parseEvent() takes a kill without a readable signal for a stop", () => {
  for (const attributes of ["null", "{}", '{"signal":"?"}']) {
    const event = parseEvent(
      `{"Type":"container","Action":"kill","Actor":{"ID":"a","Attributes":${attributes}},"timeNano":1}`,
    );
    assert.equal(event?.action === "kill" && event.signal, 15);
  }
});

Deno.test("parseEvent() knows the hook that SERVICE_DRAIN names, and no other command", () => {
  const run = (action: string, label?: string) =>
    parseEvent(JSON.stringify({
      Type: "container",
      Action: action,
      Actor: { ID: "a", Attributes: { name: "web", ...(label && { SERVICE_DRAIN: label }) } },
      timeNano: 1,
    }));
  const drain = { id: "a", name: "web", at: 1n, action: "drain" };
  assert.deepEqual(run("exec_start: sleep 2", "sleep 2"), { ...drain, command: "sleep 2" });
  // Engine 20.10 ends the command with a space.
  assert.deepEqual(run("exec_start: sleep  2 ", " sleep 2"), { ...drain, command: "sleep 2" });
  assert.equal(run("exec_start: sleep 20", "sleep 2"), undefined);
  assert.equal(run("exec_start: /bin/sh -c curl -f http://localhost/", "sleep 2"), undefined);
  assert.equal(run("exec_start: sleep 2"), undefined);
  assert.equal(run("exec_start: ", ""), undefined);
  assert.equal(run("exec_create: sleep 2", "sleep 2"), undefined); // it may never be started
});

Deno.test("parseEvent() leaves out what does not concern us", () => {
  const line = (type: string, action: string, attributes = "{}") =>
    `{"Type":"${type}","Action":"${action}","Actor":{"ID":"a","Attributes":${attributes}},"timeNano":1}`;
  assert.equal(parseEvent(line("container", "exec_start: sh")), undefined);
  assert.equal(parseEvent(line("network", "connect")), undefined);
  assert.equal(parseEvent(line("network", "connect", '{"container":""}')), undefined);
});

Deno.test("parseEvent() throws on what is no event: the stream is out of step", () => {
  const cases = [
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"Type":"container","Action":"start","Actor":{"ID":"a"}}',
    '{"Type":"container","Action":"start","Actor":{"ID":"a"},"timeNano":"1"}',
    '{"Type":"container","Action":"start","Actor":{"ID":"a"},"timeNano":1.5}',
  ];
  for (const text of cases) {
    assert.throws(() => parseEvent(text), /^Error: Cannot read an event: /, text);
  }
});

Deno.test("EVENT_FILTERS ask for every action that parseEvent() reads", () => {
  const asked: readonly string[] = EVENT_FILTERS.event;
  for (const event of recorded("events.ndjson")) {
    const action = JSON.parse(event).Action.split(":")[0];
    assert.ok(asked.includes(action), action);
  }
});
