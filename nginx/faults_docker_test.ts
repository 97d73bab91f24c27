// What the edge does when something fails or is killed: what was served keeps being served, and the last change goes live.
import assert from "node:assert/strict";
import { docker, dockerTest, eventually } from "../scripts/testing/docker.ts";
import { Edge, registration } from "./testing/edge.ts";

const KEY = "/services/service/test:a:8080";
const INTERVAL = 300; // ms: longer than a reload takes, or it would not show

dockerTest("the edge loses no change", async (t) => {
  await using edge = await Edge.build();
  await edge.startEtcd();
  await edge.start({ SWEEP_INTERVAL: "1s", RELOAD_MIN_INTERVAL: `${INTERVAL}ms` });
  const texts = ["a", "b"] as const;
  const address = { a: await edge.instance("a"), b: await edge.instance("b") };
  await edge.vouch();
  let turn = 0;
  /** Registers the other instance in place of the one that serves; returns what it answers. */
  const change = async () => {
    const text = texts[++turn % 2]!;
    await edge.put({ [KEY]: registration(address[text]) });
    return text;
  };
  const answers = (text: string, within = 5_000) =>
    eventually(async () => assert.equal((await edge.get()).body, text), { within });
  await answers(await change());

  await t.step(
    "a burst: first at once, reloads never too close, the last change goes live",
    async () => {
      const before = (await edge.events("live")).length;
      const began = performance.now();
      for (let i = 1; i <= 60; i++) {
        await edge.put({ [`/services/burst/${i % 7}`]: registration(`10.3.0.${i}`) });
      }
      const took = performance.now() - began;
      await answers(await change());
      const reloads = (await edge.events("live")).slice(before);
      for (const { since_last_reload_ms } of reloads) {
        assert.ok(Number(since_last_reload_ms) >= INTERVAL);
      }
      assert.ok(reloads.length <= took / INTERVAL + 3, `${reloads.length} reloads in ${took} ms`);
      for (let i = 54; i <= 60; i++) assert.ok((await edge.config()).includes(`10.3.0.${i}:`));
    },
  );

  await t.step("what differs in its instances only is not checked again, all else is", async () => {
    /** Waits until a configuration that holds (or no longer holds) `text` is live; was it checked before? */
    const checked = (text: string, holds = true) =>
      eventually(async () => {
        const config = await edge.config();
        assert.equal(config.includes(text), holds);
        const live = (await edge.events("live")).at(-1)!;
        assert.equal(live.generation, config.match(/[0-9a-f]{64}/)![0].slice(0, 12));
        return live.checked;
      });
    await edge.put({ "/services/checked/test:c1:80": registration("10.4.0.1") });
    assert.equal(await checked("10.4.0.1:8080"), "yes", "a new service");
    await edge.put({ "/services/checked/test:c2:80": registration("10.4.0.2", { weight: 7 }) });
    assert.equal(await checked("10.4.0.2:8080 weight=7"), "no", "one more instance");
    await edge.delete("/services/checked/", { prefix: true });
    assert.equal(await checked("upstream checked {", false), "yes", "a service less");
  });

  await t.step(
    "a check that fails is retried until it passes; meanwhile the last good serves",
    async () => {
      const old = texts[turn % 2]!;
      // nginx -t cannot make its socket.
      await edge.exec("mv /run/rollcall/generation /run/rollcall/away");
      const text = await change();
      const [failed] = await eventually(async () => {
        const events = await edge.events("check_failed");
        assert.ok(events.length > 0);
        return events;
      });
      assert.match(String(failed!.reason), /No such file or directory/, "nginx's own message");
      assert.equal((await edge.get()).body, old);
      await edge.exec("mv /run/rollcall/away /run/rollcall/generation");
      await answers(text);
    },
  );

  await t.step("a reload that fails is retried", async () => {
    await edge.exec("kill -STOP $(< /run/rollcall/nginx.pid)");
    const text = await change();
    await eventually(async () => assert.ok((await edge.events("reload_failed")).length > 0));
    await edge.exec("kill -CONT $(< /run/rollcall/nginx.pid)");
    await answers(text);
    await eventually(async () =>
      assert.equal((await edge.events("live", "reload_failed")).at(-1)!.event, "live")
    );
  });

  await t.step(
    "old workers are told to leave at once, and no worker is started in their place",
    async () => {
      for (let i = 0; i < 5; i++) await answers(await change());
      const workers = await edge.exec(
        "nginx -T -c /run/rollcall/nginx.conf >/dev/null 2>&1; nproc",
      );
      await eventually(async () => {
        const pids = await edge.exec(
          "m=$(< /run/rollcall/nginx.pid); cat /proc/$m/task/$m/children",
        );
        assert.equal(pids.trim().split(/\s+/).length, Number(workers), pids);
      }, { within: 10_000 });
    },
  );

  for (const helper of ["confd", "apply", "sweep"]) {
    await t.step(`${helper} killed at any moment comes back, and loses nothing`, async () => {
      for (let i = 0; i < 6; i++) {
        const [text] = await Promise.all([
          change(),
          edge.exec(
            `sleep 0.0$((RANDOM % 10)); kill -KILL $(< /run/rollcall/${helper}.pid) || true`,
          ),
        ]);
        await answers(text, 10_000);
      }
    });
  }

  await t.step("a confd that hangs is found and replaced", async () => {
    const before = (await edge.events("confd_deaf")).length;
    await edge.exec("kill -STOP $(< /run/rollcall/confd.pid)");
    await answers(await change(), 10_000);
    assert.equal((await edge.events("confd_deaf")).length, before + 1);
  });

  await t.step("two confd passes at the same time", async () => {
    const pass =
      "confd --onetime --log-level error --confdir /etc/rollcall/confd/watch etcd --node=http://etcd:2379";
    const text = await change();
    await edge.exec(`for i in 1 2 3 4 5 6; do ${pass} & done; wait`);
    await answers(text);
  });

  await t.step("while nothing is written, the sweep asks and renders nothing", async () => {
    const look = async () => {
      const text = await edge.exec("cd /run/rollcall/sweep; stat -c %Y.%y began; stat -c %y seen");
      const [asked, seen] = text.trim().split("\n");
      return { asked: asked!, seen: seen! };
    };
    // A look that found all well leaves what etcd said; the next ones leave it as it is.
    const first = await eventually(look);
    await eventually(async () => assert.notEqual((await look()).asked, first.asked));
    await eventually(async () => {
      const one = await look();
      await eventually(async () => assert.notEqual((await look()).asked, one.asked));
      assert.equal((await look()).seen, one.seen);
    });
  });

  await t.step("nobody vouches: the last good configuration stays", async () => {
    await edge.delete("/rollcall/hosts/test");
    const text = texts[turn % 2]!;
    await edge.delete("/services/", { prefix: true });
    await eventually(async () =>
      assert.equal((await edge.events("not_vouched", "vouched")).at(-1)!.event, "not_vouched")
    );
    assert.equal((await edge.get()).body, text);
    await edge.vouch();
    await eventually(async () =>
      assert.equal((await edge.get()).status, 503, "absence is believed again")
    );
    await answers(await change());
  });

  await t.step("etcd is wiped and recreated: confd's deafness is found and cured", async () => {
    const old = texts[turn % 2]!;
    const before = (await edge.events("confd_deaf", "etcd_reachable")).length;
    await edge.remove("etcd");
    assert.equal((await edge.get()).body, old);
    await edge.startEtcd();
    // The watching confd waits for a revision that is far away. That is found out, or it is dialled afresh.
    await eventually(async () => {
      const cures = await edge.events("confd_deaf", "etcd_reachable");
      assert.ok(cures.length > before);
    });
    assert.equal((await edge.get()).body, old, "an empty etcd is not believed");
    await edge.vouch();
    await answers(await change(), 10_000);
  });

  await t.step("etcd is killed and comes back with its data", async () => {
    await edge.docker("kill", "etcd");
    await eventually(
      async () =>
        assert.equal(
          (await edge.events("etcd_unreachable", "etcd_reachable")).at(-1)!.event,
          "etcd_unreachable",
        ),
      { within: 15_000 },
    );
    assert.equal((await edge.get()).status, 200);
    await edge.docker("start", "etcd");
    await eventually(() => edge.vouch(), { within: 15_000 });
    await answers(await change(), 15_000);
  });

  await t.step("a killed nginx worker is replaced", async () => {
    await edge.exec("m=$(< /run/rollcall/nginx.pid); kill -KILL $(< /proc/$m/task/$m/children)");
    await answers(texts[turn % 2]!);
  });

  await t.step("nginx is the container's life", async () => {
    await edge.exec("kill -KILL $(< /run/rollcall/nginx.pid)").catch(() => "killed with the rest");
    assert.equal((await edge.docker("wait", "edge")).trim(), "137");
  });
});

dockerTest("the edge starts with the best configuration at hand", async (t) => {
  await using edge = await Edge.build();

  await t.step("first start, no etcd: the 503 page at once, and the log says why", async () => {
    await edge.start({ SWEEP_INTERVAL: "1s" });
    assert.equal((await edge.get()).status, 503);
    await eventually(async () => assert.equal((await edge.events("etcd_unreachable")).length, 1), {
      within: 15_000,
    });
  });

  await t.step("etcd comes later: what stands there goes live", async () => {
    await edge.startEtcd();
    await edge.vouch();
    await edge.put({ [KEY]: registration(await edge.instance("a")) });
    await eventually(async () => assert.equal((await edge.get()).body, "a"), { within: 10_000 });
  });

  await t.step("a stop is graceful, quick and clean", async () => {
    await eventually(() => edge.exec("cmp /run/rollcall/nginx.conf /var/lib/rollcall/nginx.conf"));
    const began = performance.now();
    await edge.docker("stop", "edge");
    assert.ok(performance.now() - began < 9_000);
    assert.equal((await edge.docker("inspect", "edge", "-f", "{{.State.ExitCode}}")).trim(), "0");
  });

  await t.step("restarted without etcd: the last good configuration serves", async () => {
    await edge.remove("etcd");
    await edge.docker("start", "edge");
    await eventually(async () => assert.equal((await edge.get()).body, "a"));
  });

  const damage = {
    "cut off": "head -c 5000 nginx.conf > x; mv x nginx.conf",
    "cut off behind a complete block": "head -n -1 nginx.conf > x; mv x nginx.conf",
    "empty": ": > nginx.conf",
    "unreadable": "chmod 000 nginx.conf",
    "a folder": "rm nginx.conf; mkdir nginx.conf",
    "changed by hand": "sed -i s/8080/8081/ nginx.conf",
    "not for this nginx":
      "printf 'x;\\n' > b; h=$(sha256sum < b); printf '# generation %s\\n' ${h%% *} | cat - b > nginx.conf",
  };
  await edge.exec("cd /var/lib/rollcall; cp -p nginx.conf good");
  for (const [name, script] of Object.entries(damage)) {
    await t.step(`a saved file that is ${name}: the 503 page, not a crash loop`, async () => {
      await edge.exec(`cd /var/lib/rollcall; rm -rf nginx.conf; cp -p good nginx.conf; ${script}`);
      await edge.docker("restart", "edge", "-t", "10");
      await eventually(async () => assert.equal((await edge.get()).status, 503));
      const starting = (await edge.events("starting")).at(-1)!;
      assert.match(String(starting.reason), /no last good configuration/);
    });
  }

  await t.step("a volume that is full or gone stops nothing", async () => {
    await edge.exec("rm -rf /var/lib/rollcall/nginx.conf; mkdir /var/lib/rollcall/nginx.conf.new");
    await edge.startEtcd();
    await edge.vouch();
    await edge.put({ [KEY]: registration(await edge.instance("c")) });
    await eventually(async () => assert.equal((await edge.get()).body, "c"), { within: 10_000 });
    await eventually(async () => assert.ok((await edge.events("not_saved")).length > 0));
  });
});

dockerTest("the edge refuses wrong settings, all of them in one message", async () => {
  await using edge = await Edge.build();
  const env = [
    "-e",
    "RELOAD_MIN_INTERVAL=fast",
    "-e",
    "DEFAULT_SERVICE=a;b",
    "-e",
    "TRUSTED_PROXIES=10.0.0.0/33",
  ];
  const mounts = ["/run/rollcall", "/tmp", "/var/cache/nginx"].flatMap((path) => ["--tmpfs", path]);
  await assert.rejects(
    docker("run", "--rm", "--network", "none", ...mounts, ...env, `${edge.name}-nginx`),
    /exit code is 2[^]*3 wrong settings[^]*DEFAULT_SERVICE[^]*RELOAD_MIN_INTERVAL[^]*TRUSTED_PROXIES/,
  );
});
