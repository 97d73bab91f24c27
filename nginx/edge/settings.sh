# Sourced. Owns the edge's settings: their names, defaults and what each may be. All of them are environment
# variables; most end up in nginx.conf, so nothing is let through that could be more than a value there.
# shellcheck shell=bash

# The errors found so far, one an element.
settings_errors=()

# setting NAME DEFAULT PATTERN MEANING: exports NAME, with DEFAULT when it is unset or empty. A value that
# PATTERN does not match whole is an error, which says what the value must be.
setting() {
  local name=$1 default=$2 pattern=$3 meaning=$4
  local value=${!name:-$default}
  if [[ ! $value =~ ^($pattern)$ ]]; then
    settings_errors+=("$name must be $meaning, not \"$value\"")
  fi
  export "$name=$value"
}

# milliseconds DURATION: sets `ms`. DURATION is a whole number with ms, s or m.
milliseconds() {
  local number=${1%%[ms]*}
  case $1 in
    *ms) ms=$((10#$number)) ;;
    *s) ms=$((10#$number * 1000)) ;;
    *m) ms=$((10#$number * 60000)) ;;
  esac
}

# confd_backend: sets `backend` to confd's arguments that say where etcd is and how to prove who asks.
confd_backend() {
  local endpoints
  IFS=, read -r -a endpoints <<<"$ETCD_ENDPOINTS"
  backend=(etcd "${endpoints[@]/#/--node=}")
  [[ -z $ETCD_CERT ]] ||
    backend+=("--client-ca-keys=$ETCD_CA" "--client-cert=$ETCD_CERT" "--client-key=$ETCD_KEY")
}

# read_settings: exports every setting. When some are wrong, prints all of them in one message, returns 2.
read_settings() {
  local duration='[1-9][0-9]{0,5}(ms|s|m)' a_duration='a duration such as 100ms, 5s or 1m'
  local octet='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])' host='[A-Za-z0-9]([A-Za-z0-9.-]{0,253})|\[[0-9A-Fa-f:]+\]'
  local cidr="${octet}(\.${octet}){3}(/(3[0-2]|[12]?[0-9]))?|[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?"
  local endpoint="https?://($host):[1-9][0-9]{0,4}"
  settings_errors=()
  # Lists may be written with commas, spaces or both.
  local name
  for name in ETCD_ENDPOINTS TRUSTED_PROXIES; do
    local list=${!name:-}
    read -r -a list <<<"${list//[,$'\n']/ }" || true
    local IFS=,
    export "$name=${list[*]:-}"
    unset IFS
  done

  setting ETCD_ENDPOINTS http://etcd:2379 "($endpoint)(,($endpoint))*" 'a list of URLs such as http://etcd:2379'
  local file='(/[A-Za-z0-9._/-]{1,200})?' a_file='the absolute path of a file'
  setting ETCD_CA '' "$file" "$a_file"
  setting ETCD_CERT '' "$file" "$a_file"
  setting ETCD_KEY "$ETCD_CERT" "$file" "$a_file"
  if [[ ${ETCD_CA:+set} != "${ETCD_CERT:+set}" ]]; then
    settings_errors+=('ETCD_CA and ETCD_CERT need each other, and only one of them is set')
  elif [[ -n $ETCD_CERT && $ETCD_ENDPOINTS == *http://* ]]; then
    settings_errors+=('ETCD_ENDPOINTS must begin with https:// where ETCD_CERT is set')
  fi
  setting DEFAULT_SERVICE service '[A-Za-z0-9][A-Za-z0-9._-]{0,62}' 'a service name (letters, digits, "._-", at most 63)'
  setting RELOAD_MIN_INTERVAL 100ms "$duration" "$a_duration"
  setting SWEEP_INTERVAL 5s "$duration" "$a_duration"
  setting WORKER_PROCESSES auto 'auto|[1-9][0-9]{0,2}' 'auto or a number up to 999'
  setting WORKER_CONNECTIONS 4096 '[1-9][0-9]{2,4}' 'a number from 100 to 99999'
  setting WORKER_SHUTDOWN_TIMEOUT 30s "$duration" "$a_duration"
  setting STOP_TIMEOUT 8s "$duration" "$a_duration"
  setting CONNECT_TIMEOUT 100ms "$duration" "$a_duration"
  setting RETRY_TIMEOUT 3s "$duration" "$a_duration"
  setting PROXY_READ_TIMEOUT 60s "$duration" "$a_duration"
  setting CLIENT_MAX_BODY_SIZE 16m '(0|[1-9][0-9]{0,8})[kKmMgG]?' 'a size such as 512k or 16m, or 0 for no limit'
  setting CLIENT_HEADER_TIMEOUT 15s "$duration" "$a_duration"
  setting CLIENT_BODY_TIMEOUT 30s "$duration" "$a_duration"
  setting CLIENT_SEND_TIMEOUT 60s "$duration" "$a_duration"
  setting CLIENT_KEEPALIVE_TIMEOUT 75s "$duration" "$a_duration"
  setting TRUSTED_PROXIES '' "(($cidr)(,($cidr))*)?" 'a list of networks such as 10.0.0.0/8'
  setting TLS off 'on|off' 'on or off'
  setting HTTPS_PORT 8443 '[1-9][0-9]{0,4}' 'a port'
  setting HTTPS_REDIRECT off 'on|off' 'on or off'
  setting HSTS_MAX_AGE 0 '0|[1-9][0-9]{0,8}' 'a number of seconds, or 0 for none'
  if [[ $TLS == off && $HTTPS_REDIRECT == on ]]; then
    settings_errors+=('HTTPS_REDIRECT needs TLS, which is off: see compose.tls.yaml')
  fi
  setting ACCESS_LOG on 'on|off' 'on or off'
  setting TRAFFIC_LOG on 'on|off' 'on or off'

  ((${#settings_errors[@]} == 0)) && return 0
  local text="Cannot start the edge: ${#settings_errors[@]} wrong settings" error
  ((${#settings_errors[@]} > 1)) || text=${text%s}
  for error in "${settings_errors[@]}"; do text+=$'\n'"  $error"; done
  printf '%s\n' "$text" >&2
  return 2
}
