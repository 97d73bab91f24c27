// Signals by name and number, as STOPSIGNAL and kill events write them (Linux, x86_64 and arm64).

const NAMES =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
    .split(" ");

export const SIGKILL = 9;

/** `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3` and `SIGRTMAX-1` to a number; undefined for what is no signal. */
export function signalNumber(text: string): number | undefined {
  const name = text.trim().toUpperCase().replace(/^SIG/, "");
  const realTime = /^RTM(?:(IN)(?:\+(\d{1,2}))?|AX(?:-(\d{1,2}))?)$/.exec(name);
  const number = /^\d{1,2}$/.test(name)
    ? Number(name)
    : realTime
    ? realTime[1] ? 34 + Number(realTime[2] ?? 0) : 64 - Number(realTime[3] ?? 0)
    : NAMES.indexOf(name) + 1;
  return number >= 1 && number <= 64 ? number : undefined;
}

/** `15` to `SIGTERM`, for people. */
export function signalName(number: number): string {
  const name = NAMES[number - 1];
  return name ? `SIG${name}` : `signal ${number}`;
}
