# Tells who holds a port of this machine, and whether HTTP answers on it.
# shellcheck shell=bash

# True for a whole number from 1 to 65535.
is_port() { [[ $1 =~ ^[0-9]{1,5}$ ]] && [ "$((10#$1))" -ge 1 ] && [ "$((10#$1))" -le 65535 ]; }

# True if something on this machine listens on the TCP port, on whatever address.
port_is_taken() {
  local tables=()
  if [ -r /proc/net/tcp ]; then tables+=(/proc/net/tcp); fi
  if [ -r /proc/net/tcp6 ]; then tables+=(/proc/net/tcp6); fi
  if [ ${#tables[@]} -gt 0 ]; then
    # Column 2 is the local address:port in hexadecimal; state 0A is LISTEN.
    awk -v port="$(printf '%04X' "$1")" '$4 == "0A" && $2 ~ ":" port "$" { found = 1 } END { exit !found }' "${tables[@]}"
  else
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
  fi
}

# Prints "<project> <service> <container>" of the container that publishes the port, or nothing.
port_container() {
  docker ps --filter "publish=$1/tcp" --format \
    '{{.Label "com.docker.compose.project"}} {{.Label "com.docker.compose.service"}} {{.Names}}' | head -n 1
}

# Prints the status code of GET / on 127.0.0.1, or nothing when there is no answer within two seconds.
http_status() {
  # shellcheck disable=SC2016 # the inner shell expands
  bounded 2 bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 0
    printf "GET / HTTP/1.1\r\nHost: localhost:%s\r\nUser-Agent: rollcall-up\r\nConnection: close\r\n\r\n" "$1" >&3
    IFS=" " read -r -t 2 protocol code rest <&3 || exit 0
    case $protocol in HTTP/*) echo "$code" ;; esac
  ' http_status "$1" 2>/dev/null || true
}
