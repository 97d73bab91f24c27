// Whether Deno's server, told to stop under requests on new connections, keeps one that it never answers. Prints how
// often. `deno run -A scripts/measure/shutdown_race.ts [STOPS]`; in an image of another Deno with --network none.
const stops = Number(Deno.args[0] ?? 200);
/** What is kept for longer, in ms, is kept for good. */
const KEPT = 1_500;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One request, sent at once or a moment after its connection was made. */
async function ask(port: number): Promise<void> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    if (Math.random() < 0.5) await wait(Math.random() * 3);
    await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    await connection.read(new Uint8Array(1_000));
  } catch {
    // Refused or reset: that is an answer, too.
  }
}

let kept = 0;
for (let stop = 0; stop < stops; stop++) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async () => {
    await wait(0);
    return new Response("x", { headers: { connection: "close" } });
  });
  const { port } = server.addr;
  const asking = setInterval(() => void ask(port), 1);
  await wait(100 + Math.random() * 20);
  const ended = await Promise.race([
    server.shutdown().then(() => true),
    wait(KEPT).then(() => false),
  ]);
  clearInterval(asking);
  if (!ended) kept++;
}
console.log(`Deno ${Deno.version.deno}: ${kept} of ${stops} stops kept a request`);
Deno.exit(0);
