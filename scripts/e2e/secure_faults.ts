// What happens to a stack with certificates: renewal, another CA, an etcd that is wiped. Runs nothing by itself.
import { docker, eventually } from "../testing/docker.ts";
import type { Certificates } from "./certificates.ts";
import type { Fault } from "./fault_run.ts";
import type { World } from "./world.ts";

const nothing = () => Promise.resolve();

/** Each leaves the stack as it was. */
export function secureFaults(certificates: Certificates) {
  const renewed: Fault & Required<Pick<Fault, "change">> = {
    name: "certificates renewed",
    act: () => certificates.make(),
    change: (world) => world.rotate(),
    heal: ({ stack }) =>
      eventually(async () => {
        if (!(await stack.compose("logs", "nginx")).includes('"confd_renews"')) {
          throw new Error("confd was not restarted with its renewed certificate");
        }
      }, { within: 60_000, every: 500 }),
  };
  /** After it only who has read its files again gets in. */
  const newCa: Fault = {
    name: "another CA, and etcd SIGKILLed and started with it",
    act: async ({ stack }) => {
      await certificates.make("--new-ca");
      await docker("kill", "--signal", "KILL", stack.name("etcd"));
      await docker("start", stack.name("etcd"));
    },
    change: turnover,
    heal: nothing,
  };
  const wiped: Fault = {
    name: "etcd wiped, and its roles set up anew",
    act: async ({ stack }) => {
      await docker("rm", "--force", stack.name("etcd"));
      await docker("volume", "rm", `${stack.project}_etcd-secure`);
      await stack.compose("up", "-d", "--no-deps", "--no-build", "etcd");
    },
    change: turnover,
    heal: nothing,
  };
  return { renewed, newCa, wiped };
}

/** One comes, and when nginx has it one goes: so both the registrator and nginx must have come back to etcd before. */
export async function turnover(world: World): Promise<void> {
  const [oldest] = await world.running();
  await world.stack.compose("start", "service");
  await world.right(60_000);
  await world.served(60_000);
  await world.engine("stop", oldest!.id);
}
