// The order of a rollout's steps, and undoing it, on a Docker and a Rollcall that are only played.
import assert from "node:assert/strict";
import { type DockerCli, DockerError } from "./docker_cli.ts";
import { type Edge } from "./edge.ts";
import type { Journal } from "./plan.ts";
import type { Replica } from "./project.ts";
import type { Row } from "./rollcall.ts";
import { EXIT, rollOut, type RolloutContext, type RolloutOptions } from "./rollout.ts";

type Life = "up" | "starting" | "rejected" | "exited";

/** A host with old instances 1 and 2; what is started comes up as `life` says. */
class Host {
  readonly containers = new Map([["1", "up"], ["2", "up"]] as [string, Life][]);
  readonly drained = new Set<string>();
  readonly done: string[] = [];
  readonly said: string[] = [];
  journal: Journal | undefined;
  clock = 0;
  /** How many looks nginx's old worker survives after a drain. */
  goodbye = 3;
  readonly stop = new AbortController();
  /** Called with each thing that is done. */
  onDone: (what: string) => void = () => {};

  constructor(readonly life: Life = "up") {}

  private note(what: string) {
    this.done.push(what);
    this.onDone(what);
  }

  readonly docker: DockerCli = {
    run: (args) => {
      const words = args.join(" ");
      const ok = (stdout = "") => Promise.resolve({ code: 0, stdout, stderr: "" });
      if (args[0] === "compose") {
        const count = Number(/--scale web=(\d+)/.exec(words)?.[1]);
        for (let id = 3; this.containers.size < count; id++) {
          this.containers.set(String(id), this.life);
        }
        this.note(`up ${count}`);
        return ok();
      }
      if (args[0] === "ps") return ok([...this.containers.keys()].join("\n"));
      if (words.startsWith("container inspect")) {
        const ids = args.slice(2).filter((id) => this.containers.has(id));
        return ok(JSON.stringify(ids.map((id) => this.inspect(id))));
      }
      if (args[0] === "stop") {
        for (const id of args.slice(1)) this.containers.set(id, "exited");
        this.note(`stop ${args.slice(1).join(" ")}`);
      }
      if (args[0] === "rm") {
        for (const id of args.slice(1)) this.containers.delete(id);
        this.note(`rm ${args.slice(1).join(" ")}`);
      }
      if (args[0] === "logs") return ok("cannot open the database\n");
      return ok();
    },
    show: () => Promise.resolve(0),
  };

  private inspect(id: string) {
    const exited = this.containers.get(id) === "exited";
    return {
      ...{ Id: id, Name: `/shop-web-${id}`, Image: "i", Config: { Labels: {} } },
      State: { Status: exited ? "exited" : "running", ExitCode: exited ? 7 : 0 },
      NetworkSettings: { Networks: { edge: { IPAddress: `10.0.0.${id}`, GlobalIPv6Address: "" } } },
    };
  }

  private rows(): Row[] {
    return [...this.containers].filter(([, life]) => life !== "exited").map(([id, life]) => {
      const up = life === "up" && !this.drained.has(id);
      return {
        ...{ containerId: id, container: `shop-web-${id}`, port: "80", reason: "so it is" },
        state: this.drained.has(id) ? "draining" : life,
        ...(up ? { key: `/services/web/${id}`, address: `10.0.0.${id}:80`, weight: 1 } : {}),
      };
    });
  }

  readonly rollcall: RolloutContext["rollcall"] = {
    list: () => {
      const drains = [...this.drained].map((id) => [`shop-web-${id}`, "replaced by a rollout"]);
      return Promise.resolve({ rows: this.rows(), drains: new Map(drains as [string, string][]) });
    },
    drain: (ids) => {
      if (ids.length > 0) this.note(`drain ${ids.join(" ")}`);
      for (const id of ids) this.drained.add(id);
      return Promise.resolve();
    },
    undrain: (names) => {
      for (const name of names) {
        const id = name.replace("shop-web-", "");
        if (this.drained.delete(id)) this.note(`undrain ${id}`);
      }
      return Promise.resolve();
    },
    explain: () => Promise.resolve("Why  Nobody listens."),
    look: () => {
      const servers = new Set(this.rows().flatMap(({ address }) => address ?? []));
      const workers: Edge["workers"] = this.drained.size > 0 && this.goodbye-- > 0
        ? [{ pid: 1, current: false }, { pid: 2, current: true }]
        : [{ pid: 2, current: true }];
      if (workers.length === 1 && this.drained.size > 0) this.note("idle");
      return Promise.resolve([{ settled: true, servers, workers }]);
    },
  };

  roll(options: Partial<RolloutOptions> = {}, replicas?: readonly Replica[]): Promise<number> {
    const replica = (id: string): Replica => ({
      ...{ id, name: `shop-web-${id}`, exitCode: 0, current: Number(id) > 2 },
      status: this.containers.get(id) === "exited" ? "exited" : "running",
      addresses: [`10.0.0.${id}`],
    });
    const service = { project: "shop", name: "web", wanted: 1, obstacles: [], networks: ["edge"] };
    return rollOut({
      ...{ docker: this.docker, compose: ["compose"], rollcall: this.rollcall },
      service: { ...service, replicas: replicas ?? [...this.containers.keys()].map(replica) },
      journal: {
        read: () => Promise.resolve(this.journal),
        write: (journal) => {
          this.journal = journal;
          return Promise.resolve();
        },
        remove: () => {
          this.journal = undefined;
          return Promise.resolve();
        },
      },
      say: (text) => this.said.push(text),
      now: () => this.clock,
      wait: (ms) => {
        this.clock += ms;
        return Promise.resolve();
      },
      signal: this.stop.signal,
    }, { force: false, dryRun: false, timeout: 5_000, ...options });
  }
}

const serving = (host: Host) => [...host.containers.keys()].join(" ");

Deno.test("rollOut() stops the old only when they are drained and nginx's old workers have ended", async () => {
  const host = new Host();
  assert.equal(await host.roll(), EXIT.done);
  const steps = ["up 4", "drain 1 2", "idle", "stop 1 2", "rm 1 2", "undrain 1", "undrain 2"];
  assert.deepEqual(host.done, steps);
  assert.equal(host.goodbye, -1, "it did not wait for the old worker");
  assert.equal(serving(host), "3 4");
  assert.equal(host.journal, undefined);
});

for (
  const [life, reason] of [
    ["starting", /shop-web-3 is not in rotation after 5 s \(starting: so it is\)/],
    ["rejected", /shop-web-3 is rejected: so it is/],
    ["exited", /shop-web-3 has ended with exit code 7/],
  ] as const
) {
  Deno.test(`rollOut() removes new ones that are ${life}, says why, and leaves the old`, async () => {
    const host = new Host(life);
    assert.equal(await host.roll(), EXIT.failed);
    assert.equal(serving(host), "1 2");
    assert.deepEqual([...host.drained], []);
    assert.equal(host.journal, undefined);
    const text = host.said.join("\n");
    assert.match(text, reason);
    assert.match(text, /Nobody listens/);
    assert.match(text, /cannot open the database/);
  });
}

Deno.test("rollOut() drains also those new ones that were in rotation before it removes them", async () => {
  const host = new Host();
  host.onDone = (what) => what === "up 4" && host.containers.set("4", "starting"); // 3 is up
  assert.equal(await host.roll(), EXIT.failed);
  assert.deepEqual(host.done.slice(0, 4), ["up 4", "drain 3 4", "idle", "stop 3 4"]);
  assert.equal(serving(host), "1 2");
});

Deno.test("rollOut() interrupted before the new serve is undone, later finished", async () => {
  const early = new Host("starting");
  early.onDone = (what) => what === "up 4" && early.stop.abort();
  assert.equal(await early.roll(), EXIT.interrupted);
  assert.equal(serving(early), "1 2");
  assert.equal(early.journal, undefined);
  const late = new Host();
  late.onDone = (what) => what === "drain 1 2" && late.stop.abort();
  assert.equal(await late.roll(), EXIT.done);
  assert.equal(serving(late), "3 4");
});

Deno.test("rollOut() finishes what was killed, at every step", async () => {
  const steps = ["up 4", "drain 1 2", "idle", "stop 1 2", "rm 1 2", "undrain 1"];
  for (const step of steps) {
    const host = new Host();
    host.onDone = (what) => {
      if (what === step) throw new Error("killed");
    };
    await assert.rejects(host.roll(), /killed/);
    assert.ok(host.journal, "nothing tells the next one of it");
    host.onDone = () => {};
    assert.equal(await host.roll(), EXIT.done, step);
    assert.equal(serving(host), "3 4", step);
    assert.deepEqual([...host.drained], [], step);
    assert.equal(host.journal, undefined, step);
  }
});

Deno.test("rollOut() outlasts an etcd that is away for a moment, and undoes when it stays away", async () => {
  for (const [away, code, left] of [[5, EXIT.done, "3 4"], [500, EXIT.failed, "1 2"]] as const) {
    const host = new Host();
    let failures = away;
    const { list } = host.rollcall;
    host.rollcall.list = () => {
      const isAway = host.done.length > 0 && failures-- > 0 && host.clock < 21_000;
      return isAway ? Promise.reject(new DockerError("etcd is away")) : list();
    };
    assert.equal(await host.roll(), code);
    assert.equal(serving(host), left);
  }
});

Deno.test("rollOut() undoes also what a killed one has started, when that does not come up", async () => {
  const host = new Host("starting");
  host.onDone = (what) => {
    if (what === "up 4") throw new Error("killed");
  };
  await assert.rejects(host.roll(), /killed/);
  host.onDone = () => {};
  assert.equal(await host.roll(), EXIT.failed);
  assert.equal(serving(host), "1 2");
  assert.equal(host.journal, undefined);
});

Deno.test("rollOut() with --dry-run does nothing", async () => {
  const host = new Host();
  assert.equal(await host.roll({ dryRun: true }), EXIT.done);
  assert.deepEqual(host.done, []);
  assert.match(host.said.join("\n"), /Start 2 new beside 2/);
});
