// Which base images tests run: those that Compose would. Owns nothing that runs in production.

/** An image variable from the environment, else from .env as Compose reads it, else the official image. */
export function testImage(variable: string, official: string): string {
  let settings = "";
  try {
    settings = Deno.readTextFileSync(new URL("../.env", import.meta.url));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const line = settings.split("\n").find((line) => line.startsWith(`${variable}=`));
  return Deno.env.get(variable) || line?.slice(variable.length + 1).trim() || official;
}
