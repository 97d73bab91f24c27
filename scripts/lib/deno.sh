# Finds a Deno that fits to run the tests: the one on PATH, else the binary out of the Deno image.
# shellcheck shell=bash

# Prints a Deno's version, or nothing.
deno_version() { "$1" --version 2>/dev/null | sed -n '1s/^deno \([0-9.]*\).*/\1/p'; }

# True if the version is at least DENO_MINIMUM and of its major version.
deno_fits() {
  [ -n "$1" ] && [ "${1%%.*}" = "${DENO_MINIMUM%%.*}" ] && version_at_least "$1" "$DENO_MINIMUM"
}

# Prints the path of the Deno on PATH if it fits, else nothing.
deno_on_path() {
  local path
  path=$(command -v deno) || return 0
  if deno_fits "$(deno_version "$path")"; then echo "$path"; fi
}

# Prints the path of a Deno copied out of the image into the cache; copies it when it is not there yet.
# Usage: deno_from_image <image>
deno_from_image() {
  local image=$1 target container copied=yes
  target="$CACHE_DIR/deno/${image//[^A-Za-z0-9._-]/_}/deno"
  if ! deno_fits "$(deno_version "$target")"; then
    mkdir -p "$(dirname "$target")"
    container=$(docker create "$image") || return 1
    docker cp -L "$container:/usr/bin/deno" "$target.new" >/dev/null || copied=no
    docker rm "$container" >/dev/null || true
    if [ "$copied" = no ]; then return 1; fi
    chmod 755 "$target.new"
    mv "$target.new" "$target"
    deno_fits "$(deno_version "$target")" || return 1
  fi
  echo "$target"
}
