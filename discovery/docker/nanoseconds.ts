// Docker's times, exact: they have nanoseconds, which exceed what a number or a Date holds.

/** `2026-11-23T03:00:00.123456789Z` to ns since 1970; 0 for what is no such time. */
export function nanoseconds(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const ms = match ? Date.parse(match[1]! + match[3]!) : NaN;
  if (!match || Number.isNaN(ms)) return 0n;
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}
