// Holds compose.yaml to the design: hardening, who sees docker.sock, what is published, one place for versions.
import assert from "node:assert/strict";
import { parse } from "yaml";

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
const text = read("compose.yaml");
// deno-lint-ignore no-explicit-any -- a YAML file has no type
const services: Record<string, any> = parse(text, { merge: true }).services;

Deno.test("compose.yaml hardens every container", () => {
  for (const [name, service] of Object.entries(services)) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
    assert.equal(service.restart, "unless-stopped", name);
    assert.ok(service.logging.options["max-size"], name);
    assert.ok(service.mem_limit, name);
    assert.equal(service.privileged, undefined, name);
    assert.equal(service.cap_add, undefined, name);
    assert.equal(service.container_name, undefined, name);
  }
});

Deno.test("compose.yaml shows docker.sock to socket-proxy alone", () => {
  for (const [name, service] of Object.entries(services)) {
    const sees = JSON.stringify(service.volumes ?? []).includes("docker.sock");
    assert.equal(sees, name === "socket-proxy", name);
  }
  assert.deepEqual(services["socket-proxy"].networks, ["socket"]);
});

Deno.test("compose.yaml publishes nginx's port, and what people look at on 127.0.0.1", () => {
  const publishing = Object.keys(services).filter((name) => services[name].ports);
  assert.deepEqual(publishing, ["nginx", "dashboard", "grafana"]);
  for (const name of ["dashboard", "grafana"]) {
    assert.match(services[name].ports.join(), /^127\.0\.0\.1:[^,]*$/, name);
  }
});

Deno.test("compose.yaml starts no Prometheus unless it is asked for, and shows it no etcd", () => {
  for (const name of ["prometheus", "grafana"]) {
    assert.deepEqual(services[name].profiles, ["metrics"]);
    assert.ok(!services[name].networks.includes("control"), name);
  }
});

Deno.test("compose.yaml keeps Rollcall's own containers out of the registry", () => {
  for (const [name, service] of Object.entries(services)) {
    assert.equal(service.labels?.SERVICE_IGNORE === "true", name !== "service", name);
  }
});

Deno.test("every container has a health check and, where it builds, a user that is not root", () => {
  for (const [name, service] of Object.entries(services)) {
    if (!service.build) {
      assert.ok(service.healthcheck, name);
      continue;
    }
    const context = typeof service.build === "string" ? service.build : service.build.context;
    const dockerfile = read(`${context}/${service.build.dockerfile ?? "Dockerfile"}`);
    assert.ok(service.healthcheck || /^HEALTHCHECK /m.test(dockerfile), name);
    assert.match(dockerfile.split(/^FROM /m).at(-1)!, /^USER [1-9]\d*(:[1-9]\d*)?$/m, name);
  }
});

Deno.test("official image names stand in one form in compose.yaml, .env.example, Dockerfiles and images.sh", () => {
  const official = new Map<string, string>();
  for (
    const [, name, image] of read("scripts/lib/images.sh").matchAll(/^OFFICIAL_(\w+)=(\S+)$/gm)
  ) {
    official.set(name!, image!);
  }
  official.set("DENO_COMPILE_IMAGE", official.get("DENO_IMAGE")!);
  assert.equal(official.size, 6);
  const files = [
    "discovery/Dockerfile",
    "discovery/etcd/Dockerfile",
    "service/Dockerfile",
    "nginx/Dockerfile",
  ].map(read).join("\n");
  for (const [name, image] of official) {
    for (const [, used] of text.matchAll(new RegExp(`\\$\\{${name}:-([^}]*)\\}`, "g"))) {
      assert.equal(used, image, `compose.yaml, ${name}`);
    }
    assert.ok(text.includes(`\${${name}:-`), `compose.yaml has no ${name}`);
    assert.ok(read(".env.example").includes(`# ${name}=${image}\n`), `.env.example, ${name}`);
    for (const [, used] of files.matchAll(new RegExp(`^ARG ${name}=(.*)$`, "gm"))) {
      assert.equal(used, image, `Dockerfile, ${name}`);
    }
  }
});

Deno.test("compose.secure.yaml gives each part its own certificates, read-only, and changes nothing else", () => {
  const secure = read("compose.secure.yaml");
  // deno-lint-ignore no-explicit-any -- a YAML file has no type
  const parts: Record<string, any> = parse(secure).services;
  assert.deepEqual(Object.keys(parts).sort(), ["dashboard", "etcd", "nginx", "registrator"]);
  for (const [name, part] of Object.entries(parts)) {
    const allowed = ["environment", "volumes", ...(name === "etcd" ? ["build", "command"] : [])];
    assert.deepEqual(Object.keys(part).filter((key) => !allowed.includes(key)), [], name);
    const binds = part.volumes.filter((volume: unknown) => typeof volume === "object");
    assert.deepEqual(binds, [{
      type: "bind",
      source: `\${CERTS_DIR:-./certs}/${name}`,
      target: "/etc/rollcall/tls",
      read_only: true,
      bind: { create_host_path: false },
    }], name);
  }
  assert.doesNotMatch(text, /CERTS_DIR|https:\/\/etcd/);
});

Deno.test("compose.tls.yaml gives nginx a port and certificates, read-only, and changes nothing else", () => {
  const { nginx, ...others } = parse(read("compose.tls.yaml")).services;
  assert.deepEqual(others, {});
  assert.deepEqual(Object.keys(nginx).sort(), ["environment", "ports", "volumes"]);
  assert.deepEqual(nginx.ports, ["${HTTPS_PORT:-8443}:8443"]);
  assert.deepEqual(nginx.volumes, [{
    type: "bind",
    source: "${CERTS_DIR:-./certs}/edge",
    target: "/etc/rollcall/edge",
    read_only: true,
    bind: { create_host_path: false },
  }]);
  assert.doesNotMatch(text, /HTTPS_PORT|8443/);
});

Deno.test("compose.host.yaml has the parts of compose.yaml, and lets nobody else see docker.sock", () => {
  // deno-lint-ignore no-explicit-any -- a YAML file has no type
  const parts: Record<string, any> = parse(read("compose.host.yaml"), { merge: true }).services;
  assert.deepEqual(Object.keys(parts).sort(), ["nginx", "registrator", "socket-proxy"]);
  const other = [
    "networks",
    "environment",
    "depends_on",
    "profiles",
    "sysctls",
    "image",
    "build",
    "volumes",
  ];
  const same = (part: object) =>
    Object.fromEntries(Object.entries(part).filter(([key]) => !other.includes(key)));
  for (const [name, part] of Object.entries(parts)) {
    assert.deepEqual(same(part), same(services[name]), name);
    const sees = JSON.stringify(part.volumes ?? []).includes("docker.sock");
    assert.equal(sees, name === "socket-proxy", name);
    const own = /^(ROLLCALL_(ETCD|IP|INTERNAL|NETWORK|METRICS)|ETCD_ENDPOINTS|RETRY_TIMEOUT)$/;
    for (const [key, value] of Object.entries(services[name].environment ?? {})) {
      if (!own.test(key)) assert.equal(part.environment[key], value, `${name}: ${key}`);
    }
  }
  assert.deepEqual(parts["socket-proxy"].networks, ["socket"]);
  assert.deepEqual(Object.keys(parts).filter((name) => parts[name].ports), ["nginx"]);
});

Deno.test("the stack for Swarm hardens every part, and shows docker.sock to socket-proxy alone", () => {
  // deno-lint-ignore no-explicit-any -- a YAML file has no type
  const parts: Record<string, any> =
    parse(read("scripts/e2e/swarm/stack.yaml"), { merge: true }).services;
  for (const [name, part] of Object.entries(parts)) {
    assert.equal(part.read_only, true, name);
    assert.deepEqual(part.cap_drop, ["ALL"], name);
    assert.equal(part.labels.SERVICE_IGNORE, "true", name);
    assert.equal(part.deploy.endpoint_mode, "dnsrr", name);
    const sees = JSON.stringify(part.volumes ?? []).includes("/var/run/docker.sock");
    assert.equal(sees, name === "socket-proxy", name);
  }
});

Deno.test(".env.example names every setting of the compose files, with its default", () => {
  const example = read(".env.example");
  const overlays = ["secure", "cluster", "tls", "published-etcd", "host", "host.secure"];
  const all = text + overlays.map((name) => read(`compose.${name}.yaml`)).join("\n");
  const lines = all.split("\n").filter((line) => !line.startsWith("#")).join("\n");
  for (const [, name, fallback] of lines.matchAll(/\$\{([A-Z_]+):-([^}]*)\}/g)) {
    const line = example.split("\n").find((candidate) => candidate.startsWith(`# ${name}=`));
    assert.ok(line, `.env.example has no ${name}`);
    if (name === "ROLLCALL_METRICS" && fallback === "off") continue; // nobody collects those of a further host by itself
    assert.equal(line.slice(`# ${name}=`.length).split("  ")[0]!.trim(), fallback, `${name}`);
  }
});
