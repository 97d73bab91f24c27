# Progress lines with the time since the start, errors with an exit code, and steps whose output goes to a log.
# It does not decide what is done.
# shellcheck shell=bash

CACHE_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/rollcall"
LOG_DIR="$CACHE_DIR/logs"

# Exit codes of bootstrap, and through it of up and test.
# shellcheck disable=SC2034 # the scripts that source this file use them
EXIT_FAILED=1 EXIT_USAGE=2 EXIT_REFUSED=3 EXIT_NO_DOCKER=4

# Prints the time in milliseconds; older shells know only seconds.
now_ms() {
  if [ -n "${EPOCHREALTIME:-}" ]; then
    local micros=${EPOCHREALTIME/[.,]/}
    echo "${micros%???}"
  else
    echo "$(date +%s)000"
  fi
}

# The scripts that call each other count from the first one's start.
export ROLLCALL_STARTED_AT="${ROLLCALL_STARTED_AT:-$(now_ms)}"

# Prints milliseconds as seconds with one decimal.
seconds() { printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# Prints one progress line: [ 12.3 s] text
say() {
  local elapsed=$(($(now_ms) - ROLLCALL_STARTED_AT))
  printf '[%5s s] %s\n' "$(seconds "$elapsed")" "$*"
}

# Prints an error, one line an argument, and exits. Usage: fail <exit code> <line>...
fail() {
  local code=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command for at most so many seconds, where the machine can do that. Usage: bounded <seconds> <command>...
bounded() {
  local limit=$1
  shift
  if have timeout; then timeout "$limit" "$@"; else "$@"; fi
}

# True if a dotted version is at least another. Usage: version_at_least <version> <minimum>
version_at_least() {
  local -a have_parts want_parts
  local i
  IFS=. read -r -a have_parts <<<"$1"
  IFS=. read -r -a want_parts <<<"$2"
  for i in 0 1 2; do
    local a=${have_parts[$i]:-0} b=${want_parts[$i]:-0}
    a=${a%%[!0-9]*} b=${b%%[!0-9]*}
    if [ "${a:-0}" -gt "${b:-0}" ]; then return 0; fi
    if [ "${a:-0}" -lt "${b:-0}" ]; then return 1; fi
  done
}

STEP_NAMES=()
STEP_PIDS=()

# Starts a step beside the script, in a process group of its own. Usage: start_step <name> <what it does> <command>...
# Its output goes to a log; the command gets no input. wait_step tells how it went.
start_step() {
  local name=$1 title=$2
  shift 2
  say "$name: $title"
  mkdir -p "$LOG_DIR"
  set -m
  (run_logged "$name" "$@") </dev/null 9>&- & # without the lock: a daemon that is started here would keep it
  STEP_PIDS+=($!)
  set +m
  STEP_NAMES+=("$name")
}

run_logged() {
  local name=$1 log started status=0
  shift
  log="$LOG_DIR/${name//[^A-Za-z0-9._-]/_}.log"
  started=$(now_ms)
  # A command of its own, not the left side of ||: so `set -e` still holds inside functions.
  "$@" >"$log" 2>&1 &
  wait $! || status=$?
  if [ "$status" = 0 ]; then
    say "$name: done in $(seconds $(($(now_ms) - started))) s"
    return 0
  fi
  {
    say "$name: failed with exit code $status. The end of $log:"
    tail -n 25 "$log" | sed 's/^/    /'
  } >&2
  return "$status"
}

# Waits for one started step, or for all of them when none is named. The first failure ends the rest and the script.
wait_step() {
  local i
  for i in "${!STEP_PIDS[@]}"; do
    if [ $# -gt 0 ] && [ "${STEP_NAMES[$i]}" != "$1" ]; then continue; fi
    local pid=${STEP_PIDS[$i]} status=0
    wait "$pid" || status=$?
    unset "STEP_PIDS[$i]" "STEP_NAMES[$i]"
    if [ "$status" != 0 ]; then
      stop_steps
      exit "$EXIT_FAILED"
    fi
  done
}

# Runs one step and waits for it. Usage: run_step <name> <what it does> <command>...
run_step() {
  start_step "$@"
  wait_step "$1"
}

# Ends every step that still runs, with all it started.
stop_steps() {
  local i
  for i in "${!STEP_PIDS[@]}"; do
    kill -TERM -- "-${STEP_PIDS[$i]}" 2>/dev/null || true
    unset "STEP_PIDS[$i]" "STEP_NAMES[$i]"
  done
}
