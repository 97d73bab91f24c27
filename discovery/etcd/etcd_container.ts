// A real etcd in a container for tests: on a free port of 127.0.0.1, its data on a volume of its own. Owns no assertion.
import { docker, eventually, freePort } from "../../scripts/testing/docker.ts";
import { testImage } from "../test_image.ts";
import { EtcdRegistry } from "./etcd_registry.ts";

/** One etcd. `start` it, and `end` it whatever happens. */
export class EtcdContainer {
  readonly name = `rollcall-etcd-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly port = freePort();
  readonly endpoints: readonly string[] = [`http://127.0.0.1:${this.port}`];
  readonly registry: EtcdRegistry;

  /** `deadline` of the registry's calls, in ms. */
  constructor(deadline?: number) {
    const { endpoints } = this;
    this.registry = new EtcdRegistry(deadline ? { endpoints, deadline } : { endpoints });
  }

  /** Starts an empty one; resolves when it answers. */
  async start(): Promise<void> {
    const image = testImage("ETCD_IMAGE", "gcr.io/etcd-development/etcd:v3.6.16");
    const url = "http://0.0.0.0:2379";
    await docker(
      ...["run", "--detach", "--name", this.name, "--label", "rollcall.test=discovery"],
      ...["--user", "0:0", "--volume", "/data", "--publish", `127.0.0.1:${this.port}:2379`],
      ...["--label", "SERVICE_IGNORE=true", "--entrypoint", "etcd", image],
      ...["--data-dir=/data/etcd", "--log-level=error", "--unsafe-no-fsync"],
      ...[`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`],
    );
    await this.answers(30_000);
  }

  /** Resolves when a call succeeds; returns how long that took, in ms. Throws after `within` ms. */
  async answers(within: number): Promise<number> {
    const start = performance.now();
    await eventually(() => this.registry.list("/"), { within, every: 20 });
    return performance.now() - start;
  }

  /** Removes the container and its data. */
  async remove(): Promise<void> {
    await docker("rm", "--force", "--volumes", this.name).catch(() => {});
  }

  /** Removes everything. */
  async end(): Promise<void> {
    this.registry.close();
    await this.remove();
  }
}
