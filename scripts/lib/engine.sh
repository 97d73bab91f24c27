# Sees to it that a Docker engine is there, runs and may be used. Its plugins are another file's.
# shellcheck shell=bash

# Sets DOCKER_STATE to ok, missing (no client), denied (no right to the socket) or down; and what the client said.
probe_docker() {
  DOCKER_ERROR=
  if ! have docker; then
    DOCKER_STATE=missing
    DOCKER_ERROR="(there is no docker command)"
  elif DOCKER_ERROR=$(bounded 20 docker version --format '{{.Server.Version}}' 2>&1); then
    DOCKER_STATE=ok
    # shellcheck disable=SC2034 # bootstrap tells it
    DOCKER_VERSION=$DOCKER_ERROR
  elif [[ $DOCKER_ERROR == *"permission denied"* ]]; then
    DOCKER_STATE=denied
  else
    DOCKER_STATE=down
  fi
  DOCKER_ERROR=${DOCKER_ERROR#$'\n'}
}

# Promises a Docker engine that answers; installs and starts it where it is this machine's to do.
ensure_engine() {
  probe_docker
  if [ "$DOCKER_STATE" = missing ] || { [ "$DOCKER_STATE" = down ] && engine_is_ours && ! have_dockerd; }; then
    install_engine
    probe_docker
  fi
  if [ "$DOCKER_STATE" = down ] && engine_is_ours; then
    start_engine
    probe_docker
  fi
  case $DOCKER_STATE in
    ok) ;;
    denied)
      fail "$EXIT_NO_DOCKER" \
        "Cannot use Docker: the user $(id -un) has no right to its socket." \
        "Either run this as root ('sudo $0'), or let the user in and log in again: sudo usermod -aG docker $(id -un)" \
        "Docker said: $DOCKER_ERROR"
      ;;
    *)
      fail "$EXIT_NO_DOCKER" \
        "Cannot reach the Docker engine at ${DOCKER_HOST:-the current context ($(docker context show 2>/dev/null || echo default))}." \
        "Start it (Docker Desktop, or the machine that DOCKER_HOST or 'docker context' names), then run this again." \
        "Docker said: $DOCKER_ERROR"
      ;;
  esac
}

DOCKER_RUN_DIR=/var/run

have_systemd() { [ -d /run/systemd/system ]; }
have_dockerd() { [ -n "$(dockerd_path)" ]; }
dockerd_path() { PATH="$PATH:/usr/sbin:/sbin" command -v dockerd || true; }

# True if the engine that the client talks to is one on this machine which a script may install and start.
engine_is_ours() {
  if [ "$(uname -s)" != Linux ]; then return 1; fi
  case ${DOCKER_HOST:-} in
    '') [ "$(docker context show 2>/dev/null || echo default)" = default ] ;;
    unix:///var/run/docker.sock | unix:///run/docker.sock) ;;
    *) return 1 ;;
  esac
}

install_engine() {
  if ! have apt-get; then
    fail "$EXIT_NO_DOCKER" "Cannot install Docker: this machine has no apt-get." \
      "Install Docker Engine with Compose $COMPOSE_MINIMUM or newer, or Docker Desktop, then run this again."
  fi
  announce_install "This machine has no Docker engine" "installing the package docker.io" "sudo apt-get install docker.io"
  ask_for_root "install Docker"
  run_step docker.io "apt-get install" apt_install docker.io ca-certificates
}

# Starts the engine: through the init system where there is one, else detached from this script and its streams.
start_engine() {
  ask_for_root "start the Docker engine"
  if have_systemd; then
    run_step dockerd "starting it with systemctl" as_root systemctl start docker
    return
  fi
  local log="$LOG_DIR/dockerd.log" waited launched=no
  mkdir -p "$LOG_DIR"
  for ((waited = 0; waited < 60; waited++)); do
    # One that runs may only need time; but it may also be ending, and then another has to be started.
    if ! process_is dockerd "$DOCKER_RUN_DIR/docker.pid"; then
      if [ "$launched" = no ]; then
        launched=yes
        launch_dockerd "$log"
      elif [ "$waited" -gt 6 ]; then
        break
      fi
    fi
    sleep 0.5
    probe_docker
    case $DOCKER_STATE in
      ok)
        say "dockerd: answers"
        return
        ;;
      denied) return ;;
    esac
  done
  fail "$EXIT_NO_DOCKER" "Cannot start the Docker engine. The end of $log:" "$(tail -n 25 "$log" 2>/dev/null | sed 's/^/    /')"
}

# Where control groups are mounted that share out processor time (of version 1: cgroupfs-mount brings no other).
CPU_GROUPS=/sys/fs/cgroup/cpu

# Starts $1 in a group of its own beside the containers' groups, as systemd does. Outside of every group each of its
# threads would weigh as much as all containers together, and whatever they have to do waits until it has done.
# shellcheck disable=SC2016 # the inner shell expands it
IN_ITS_GROUP='
  group=$2/system.slice/docker.service
  if [ -e "$2/cpu.shares" ] && mkdir -p "$group" && echo $$ > "$group/cgroup.procs"; then
    exec "$1" --cgroup-parent=/system.slice
  fi
  exec "$1"'

# Starts dockerd detached from this script and its streams. Usage: launch_dockerd <log>
launch_dockerd() {
  say "dockerd: starting it detached, as no init system runs here; its log is $1"
  # A machine that was cut off leaves pid files behind. dockerd believes them when the number lives again.
  as_root rm -f "$DOCKER_RUN_DIR/docker.pid"
  if ! process_is containerd "$DOCKER_RUN_DIR/docker/containerd/containerd.pid"; then
    as_root rm -f "$DOCKER_RUN_DIR/docker/containerd/containerd.pid"
  fi
  # Without an init system nobody may have mounted the control groups, which dockerd needs.
  if [ ! -e /sys/fs/cgroup/devices ] && [ ! -e /sys/fs/cgroup/cgroup.controllers ] && have cgroupfs-mount; then
    as_root cgroupfs-mount
  fi
  # No stream of ours and no lock of ours: whoever waits for this script must not wait for the engine.
  as_root setsid --fork sh -c "$IN_ITS_GROUP" sh "$(dockerd_path)" "$CPU_GROUPS" </dev/null >>"$1" 2>&1 9>&-
}

# True if the process whose number stands in the pid file is the named program, and has not ended (a zombie has).
# Usage: process_is <name> <pid file>
process_is() {
  local pid
  pid=$(cat "$2" 2>/dev/null) || return 1
  [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] &&
    ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null
}
