# What every installation on this machine goes through: it is announced, may be refused, and may need root.
# shellcheck shell=bash

# Says what is about to be installed, or refuses with the command to run when ROLLCALL_INSTALL=no.
# Usage: announce_install <what is missing> <what is being done> <command that does it by hand>
announce_install() {
  if [ "${ROLLCALL_INSTALL:-yes}" = no ]; then
    fail "$EXIT_REFUSED" "Cannot go on: $1 and ROLLCALL_INSTALL=no forbids installing anything." "Run this yourself: $3"
  fi
  say "$1: $2 (ROLLCALL_INSTALL=no prevents that)"
}

# Promises that as_root will work, while the script still has the terminal: the steps have no input.
# Usage: ask_for_root <what for>
ask_for_root() {
  if [ "$(id -u)" = 0 ]; then return; fi
  if ! have sudo || ! sudo -v; then
    fail "$EXIT_NO_DOCKER" "Cannot $1: it needs root, and sudo does not give it to the user $(id -un)." "Run this as root."
  fi
}

# Runs a command as root. Call ask_for_root first.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
