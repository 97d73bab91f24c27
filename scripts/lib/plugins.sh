# Sees to it that Docker's plugins Compose and buildx are there, in versions that do.
# shellcheck shell=bash

# Promises `docker compose` and `docker buildx` in versions that do.
ensure_plugins() {
  local missing=()
  plugin_fits compose "$COMPOSE_MINIMUM" || missing+=(docker-compose)
  plugin_fits buildx "$BUILDX_MINIMUM" || missing+=(docker-buildx)
  if [ ${#missing[@]} = 0 ]; then return; fi
  local what="Docker lacks ${missing[*]}, or has too old a version of it"
  local mirror=
  if have apt-get && have dpkg-deb; then mirror=$(apt_sources | debian_mirror "$(codename)"); fi
  if [ -z "$mirror" ]; then
    fail "$EXIT_NO_DOCKER" "Cannot go on: $what (needed: Compose $COMPOSE_MINIMUM, buildx $BUILDX_MINIMUM)." \
      "Install both, with Docker Desktop or your distribution's packages" \
      "(docker-compose-v2 and docker-buildx, or docker-compose-plugin and docker-buildx-plugin), then run this again."
  fi
  announce_install "$what" "taking that from Debian testing into $(plugin_dir)" \
    "put ${missing[*]} of Debian testing, or the official release, into $(plugin_dir)"
  run_step plugins "downloading ${missing[*]}" download_plugins "$mirror" "${missing[@]}"
  if ! plugin_fits compose "$COMPOSE_MINIMUM" || ! plugin_fits buildx "$BUILDX_MINIMUM"; then
    fail "$EXIT_FAILED" "Cannot use the plugins of Debian testing in $(plugin_dir): they do not run, or are too old." \
      "Try: docker compose version; docker buildx version"
  fi
}

plugin_dir() { echo "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"; }

plugin_fits() {
  local version
  version=$(docker "$1" version 2>/dev/null) || return 1
  version=$(printf '%s' "$version" | grep -Eo '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1) || return 1
  version_at_least "$version" "$2"
}

# Unpacks the plugins' packages without installing them: they depend on a newer system than this may be, and run without.
download_plugins() (
  mirror=$1
  shift
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  apt_testing "$mirror" update
  cd "$work" || exit
  apt_testing "$mirror" download "$@"
  for package in *.deb; do dpkg-deb -x "$package" root; done
  mkdir -p "$(plugin_dir)"
  for package in "$@"; do
    find root -path '*/cli-plugins/*' -name "$package" -type f -exec install -m 755 {} "$(plugin_dir)/" \;
  done
)
