// confd and the templates in a container, without etcd and nginx: what is registered goes in, nginx.conf comes out.
// Owns no assertion.
import { docker, run } from "../../scripts/testing/docker.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Where confd looks, and what it renders. */
const TOML = (source: string) =>
  `[template]\nsrc = "${source}"\ndest = "/tmp/out"\nkeys = ["/services", "/rollcall/hosts"]\n`;

/** A container that renders. */
export class Renderer implements AsyncDisposable {
  private readonly name = `rollcall-test-renderer-${crypto.randomUUID().slice(0, 8)}`;

  private constructor(private readonly probe: string) {}

  /** `probe`: a template to render instead of nginx.conf.tmpl; it can include the others. */
  static async start(probe = '{{ include "nginx.conf.tmpl" }}'): Promise<Renderer> {
    const renderer = new Renderer(probe);
    await renderer.prepare();
    return renderer;
  }

  private async prepare(): Promise<void> {
    await run("docker", ["compose", "-p", this.name, "build", "-q", "nginx"], {
      cwd: ROOT,
      env: { BUILDX_BAKE_ENTITLEMENTS_FS: "0" },
    });
    await docker(
      ...["run", "-d", "--name", this.name, "--network", "none", "--read-only", "--tmpfs", "/tmp"],
      ...["--no-healthcheck", "--entrypoint", "sleep", `${this.name}-nginx`, "infinity"],
    );
    await this.exec(
      `mkdir -p /tmp/confd/conf.d && cp -r /etc/rollcall/confd/templates /tmp/confd/ &&
       printf %s '${
        TOML("probe.tmpl")
      }' > /tmp/confd/conf.d/probe.toml && cat > /tmp/confd/templates/probe.tmpl`,
      this.probe,
    );
  }

  /** What confd makes of these keys and values. */
  render(entries: Readonly<Record<string, string>>): Promise<string> {
    const tree: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(entries)) {
      const path = key.slice(1).split("/");
      let node = tree;
      for (const part of path.slice(0, -1)) node = (node[part] ??= {}) as Record<string, unknown>;
      node[path.at(-1)!] = value;
    }
    return this.exec(
      `cat > /tmp/registry.json && rm -f /tmp/out &&
       confd --onetime --log-level error --confdir /tmp/confd file --file /tmp/registry.json >&2 && cat /tmp/out`,
      JSON.stringify(tree),
    );
  }

  private async exec(script: string, input: string): Promise<string> {
    const child = new Deno.Command("docker", {
      args: ["exec", "-i", this.name, "sh", "-c", script],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (code !== 0) throw new Error(`Cannot render: ${text(stderr)}`);
    return text(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker("rm", "-f", this.name);
    await docker("rmi", `${this.name}-nginx`);
  }
}
