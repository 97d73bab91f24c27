// Where things lie in the repository. Owns nothing else.

/** The folder scripts/bench, without a slash at its end. */
export const benchFolder = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** The repository's top. */
export const rootFolder = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
