# Sourced. Owns how the edge's scripts log: one JSON line per event on standard error, a readable line on a
# terminal. Starts no process: the apply loop logs between a check and a reload.
# shellcheck shell=bash

# now_ms: sets `now` to the milliseconds since the epoch.
now_ms() {
  # "1764000000.123456" without its separator is microseconds; some locales write a comma.
  now=$((${EPOCHREALTIME//[.,]/} / 1000))
}

# json_string TEXT: sets `json` to TEXT as a JSON string.
json_string() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\r'/\\r}
  text=${text//$'\t'/\\t}
  json="\"${text//[[:cntrl:]]/?}\""
}

# log LEVEL EVENT [FIELD VALUE]...: LEVEL is info, warn or error. Whole numbers stay numbers.
log() {
  local level=$1 event=$2 now json time line
  shift 2
  now_ms
  TZ=UTC printf -v time '%(%Y-%m-%dT%H:%M:%S)T.%03dZ' "$((now / 1000))" "$((now % 1000))"
  if [[ -t 2 ]]; then
    printf -v line '%s %-5s %s' "${time:11:12}" "$level" "$event"
    while (($# > 1)); do
      line+=" $1=$2"
      shift 2
    done
  else
    line="{\"time\":\"$time\",\"level\":\"$level\",\"event\":\"$event\""
    while (($# > 1)); do
      if [[ $2 =~ ^(0|-?[1-9][0-9]{0,15})$ ]]; then json=$2; else json_string "$2"; fi
      line+=",\"$1\":$json"
      shift 2
    done
    line+="}"
  fi
  printf '%s\n' "$line" >&2
}
