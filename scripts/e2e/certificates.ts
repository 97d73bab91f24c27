// The certificates of a test's stack, made by ./scripts/certs in a folder of their own. Owns no stack.
import { docker, run } from "../testing/docker.ts";
import { testImage } from "../../discovery/test_image.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** A folder as ./scripts/certs makes it; `remove` it in the end, whatever happens. */
export class Certificates {
  readonly folder: string;

  /** `parent`: a folder that is removed in the end, and this one with it. */
  constructor(parent?: string) {
    const prefix = "rollcall_certs_";
    this.folder = Deno.makeTempDirSync({ prefix, ...(parent !== undefined && { dir: parent }) });
  }

  /** Makes or renews them. */
  make(...args: readonly string[]): Promise<string> {
    return run("scripts/certs", args, { cwd: ROOT, env: { CERTS_DIR: this.folder } });
  }

  /** What a stack needs to use them. */
  get settings(): Readonly<Record<string, string>> {
    return { COMPOSE_FILE: "compose.yaml:compose.secure.yaml", CERTS_DIR: this.folder };
  }

  /** Their owners are the containers' users, so a container removes what this one may not. */
  async remove(): Promise<void> {
    const nginx = testImage("NGINX_IMAGE", "nginx:1.30");
    const mount = ["--volume", `${this.folder}:/certs`, "--user", "0:0", "--network", "none"];
    const command = ["--entrypoint", "sh", nginx, "-c", "rm -rf /certs/*"];
    await docker("run", "--rm", "--label", "SERVICE_IGNORE=true", ...mount, ...command);
    await Deno.remove(this.folder, { recursive: true });
  }
}
