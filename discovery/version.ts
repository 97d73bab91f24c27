// The version of Rollcall, from deno.json. Nothing else.
import project from "../deno.json" with { type: "json" };

export const VERSION: string = project.version;
