// What each step of a schedule does to the world, and until when the failure tables of discovery/ and nginx/ excuse it.
import { TTL } from "./daemon.ts";
import type { Box } from "./docker.ts";
import type { Kind } from "./schedule.ts";
import type { World } from "./world.ts";

/** What a step does; `n` is from 0 to 9,999. */
type Effect = (world: World, who: number, n: number) => void;

/** How long until it is right again after a fault, in ms: for the registrator's keys, for the edge. */
export const HEALS = {
  /** Between two looks at everything, and its retries. */
  resync: 33_000,
  /** A call that hangs (2 s), the pause before the next (2 s), and a lease that must be found lost. */
  etcd: 7_500,
  /** A successor: what it inherits, a list, and 3 s for those who do not answer. */
  successor: 7_500,
  docker: 16_000,
  /** A look of the sweep, its doubt, and a restart of confd. */
  sweep: 14_000,
  helper: 4_000,
  /** Who must vouch anew has found that out, waits for other hosts (a TTL at most), and confd notices. */
  vouching: 7_500 + 15_000 + 14_000,
} as const;

/** What happens in place of a change that would change nothing. */
export function effective(what: Kind, { container, listening, drained }: Box): Kind {
  const { running, paused, health } = container;
  switch (what) {
    case "start":
      return running ? "restart" : what;
    case "stop":
    case "kill":
    case "crash":
    case "hangup":
    case "pause":
    case "unpause":
      if (!running) return "start";
      return paused ? (what === "pause" ? "unpause" : what) : what === "unpause" ? "pause" : what;
    case "healthy":
    case "unhealthy":
      return health === "healthy" ? "unhealthy" : "healthy";
    case "listen":
    case "unlisten":
      return listening ? "unlisten" : "listen";
    case "drain":
    case "undrain":
      return drained ? "undrain" : "drain";
    default:
      return what;
  }
}

/** A registrator that was away for `ms` may have lost its lease, and then waits for those who left meanwhile. */
function vouchesAnew(ms: number): number {
  return ms > TTL * 1000 / 2 ? HEALS.vouching : 0;
}

export const EFFECTS: Readonly<Record<Kind, Effect>> = {
  start: (world, who, n) => {
    const box = world.box(who);
    world.docker.start(box, n % 2 === 0);
    const life = box.container.startedAt;
    const ready = () => {
      if (box.container.startedAt !== life) return;
      world.docker.listen(box, true);
      world.docker.health(box, "healthy");
    };
    if (n % 8 > 0) world.later(n % 400, ready);
  },
  stop: (world, who, n) => {
    const box = world.box(who);
    const life = box.container.startedAt;
    world.docker.kill(box);
    const die = () => box.container.startedAt === life && world.docker.die(box);
    world.later(n % 3 === 0 ? n % 100 : n, die);
  },
  kill: (world, who) => world.docker.kill(world.box(who)),
  crash: (world, who) => world.docker.die(world.box(who)),
  hangup: (world, who) => world.docker.kill(world.box(who), 1),
  pause: (world, who) => world.docker.pause(world.box(who), true),
  unpause: (world, who) => world.docker.pause(world.box(who), false),
  healthy: (world, who) => world.docker.health(world.box(who), "healthy"),
  unhealthy: (world, who) => world.docker.health(world.box(who), "unhealthy"),
  listen: (world, who) => world.docker.listen(world.box(who), true),
  unlisten: (world, who) => world.docker.listen(world.box(who), false),
  restart: (world, who, n) => {
    world.docker.die(world.box(who));
    EFFECTS.start(world, who, n);
  },
  drain: (world, who) => world.drain(who, true),
  undrain: (world, who) => world.drain(who, false),
  burst: (world, _, n) => {
    for (let i = 0; i < 3 + n % 4; i++) {
      world.later(i * (n % 70), () => world.otherHost(`other:x${i}:80`, `10.9.${i}.${n % 250}`));
    }
  },

  dockerAway: (world, _, n) => {
    if (n % 2) world.path.cut();
    world.during(n, { registrator: HEALS.docker }, (on) => world.path.away = on);
  },
  dockerSlow: (world, _, n) =>
    world.during(n, { registrator: HEALS.docker }, (on) => world.path.slow = on ? n / 2 : 0),
  streamCut: (world) => {
    world.path.cut();
    world.during(0, { registrator: 3_000 });
  },
  // Each event that is lost excuses itself.
  streamDead: (world) => world.path.deafen(),
  eventsLost: (world, _, n) => world.during(n / 2, {}, (on) => world.path.losing = on),

  registratorRestart: (world, _, n) => {
    if (!world.daemon.running) return;
    world.daemon.end();
    world.during(n * 3, { registrator: HEALS.successor }, (on) => on || world.daemon.start());
  },
  registratorKill: (world, _, n) => {
    if (!world.daemon.running) return;
    world.daemon.kill();
    const down = n % 3 === 0 ? n * 3 : n / 10;
    world.during(down, { registrator: HEALS.successor }, (on) => on || world.daemon.start());
  },
  registratorStop: (world, _, n) => {
    world.daemon.stop();
    const since = world.clock.now();
    // While it is stopped, its next look at everything comes no nearer.
    const missed = () => world.eventLostAt > since - HEALS.resync;
    const heals = () => missed() ? HEALS.resync : HEALS.successor;
    const edge = vouchesAnew(n * 4);
    world.during(n * 4, { registrator: heals, edge }, (on) => on || world.daemon.go());
  },
  registratorCut: (world, _, n) =>
    world.during(
      n * 3,
      { registrator: HEALS.etcd, edge: vouchesAnew(n * 3) },
      (on) => world.daemon.link.cut = on,
    ),

  etcdAway: (world, _, n) => {
    world.etcd.leave();
    world.during(n * 3, { registrator: HEALS.etcd, edge: HEALS.sweep }, (on) => {
      if (on) return;
      world.etcdBack();
      if (n > 1_700) world.edge.redialsAt = world.clock.now() + n * 12;
    });
  },
  etcdSilent: (world, _, n) => {
    world.etcd.fallSilent();
    world.during(
      n * 2,
      { registrator: HEALS.etcd, edge: HEALS.sweep },
      (on) => on || world.etcdBack(),
    );
  },
  etcdSlow: (world, _, n) =>
    world.during(n, { registrator: HEALS.etcd, edge: HEALS.sweep }, (on) => {
      world.etcd.slow = on ? n / 4 : 0;
    }),
  repliesLost: (world, _, n) =>
    world.during(n / 2, { registrator: HEALS.etcd, edge: HEALS.sweep }, (on) => {
      world.etcd.losesReplies = on;
    }),
  wipe: (world, _, n) => {
    world.etcd.leave();
    world.etcd.wipe();
    world.during(
      n / 3,
      { registrator: HEALS.etcd, edge: HEALS.vouching },
      (on) => on || world.etcdBack(),
    );
  },
  purge: (world) => {
    world.etcd.purge();
    world.during(0, { registrator: HEALS.etcd, edge: HEALS.vouching });
  },
  keyDeleted: (world, who) => world.byHand(who, undefined),
  keySpoilt: (world, who, n) => world.byHand(who, n % 2 ? "{}" : "not JSON"),

  edgeCut: (world, _, n) =>
    world.during(n * 2, { edge: HEALS.sweep }, (on) => world.edge.link.cut = on),
  watchLost: (world, _, n) =>
    world.during(n / 3, { edge: HEALS.sweep }, (on) => world.edge.losesWatch = on),
  pokesLost: (world, _, n) =>
    world.during(n / 3, { edge: HEALS.helper }, (on) => world.edge.losesPokes = on),
  confdKill: (world) => {
    world.edge.confd.kill();
    world.during(0, { edge: HEALS.helper });
  },
  confdHang: (world) => {
    world.edge.confd.process?.stop();
    world.during(0, { edge: HEALS.sweep });
  },
  applyKill: (world) => {
    world.edge.apply.kill();
    world.during(0, { edge: HEALS.helper });
  },
  applyHang: (world, _, n) => {
    const { process } = world.edge.apply;
    process?.stop();
    world.during(n / 2, { edge: HEALS.helper + 5_000 }, (on) => on || process?.go());
  },
  sweepKill: (world) => {
    world.edge.sweep.kill();
    world.during(0, { edge: HEALS.sweep });
  },
  checkFails: (world, _, n) =>
    world.during(n, { edge: () => world.edgeRetries() + 2_000 }, (on) => {
      if (on) world.edgeFails();
      world.edge.checkFails = on;
    }),
  nginxStuck: (world, _, n) => {
    world.edgeFails();
    world.edge.stuck = true;
    world.during(n, { edge: () => world.edgeRetries() + 7_000 }, (on) => on || world.unstick());
  },
  nginxKill: (world, _, n) => world.killNginx(300 + n / 8),

  rest: (world, _, n) => world.rest(n === 1),
};
