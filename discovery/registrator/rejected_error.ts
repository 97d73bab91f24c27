// Why something that a user wrote is not accepted, in words fit for a status and a log line. Owns no rule.

/** One container, or one port of it, cannot be registered; the message says why and what to do. */
export class RejectedError extends Error {
  override readonly name = "RejectedError";
}

/** Throws a RejectedError about the setting SERVICE_<KEY>. */
export function reject(key: string, problem: string): never {
  throw new RejectedError(`SERVICE_${shown(key.toUpperCase())} ${problem}.`);
}

/** Text from outside, fit for people: cut, and without what a terminal obeys or shows in another order. */
export function shown(text: string): string {
  const plain = text.slice(0, 60).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return text.length > 60 ? `${plain}…` : plain;
}

/** Names in a sentence. */
export function listed(names: readonly string[]): string {
  return names.length > 0 ? names.map(shown).join(", ") : "none";
}

/** registrator ignores a container whatever SERVICE_IGNORE says; `false` means no here. */
export function isYes(text: string | undefined): boolean {
  return text !== undefined && !["", "0", "false", "no", "off"].includes(text.trim().toLowerCase());
}
